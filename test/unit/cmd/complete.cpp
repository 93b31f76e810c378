#include "cmd/completion/complete.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "cmd/core/command.hpp"

using namespace hob::cmd;

namespace {

std::vector<candidate> known_words(std::string_view kind, const instance_choice& choice) {
    if (choice.directory == "/other") return {{"other", "worker"}};
    if (kind == "units") return {{"calc", "worker"}, {"db", "service"}};
    if (kind == "tasks") return {{"build", "task"}};
    if (kind == "workers") return {{"calc", "worker"}};
    if (kind == "attachable") return {{"calc", "worker"}, {"web", "service"}};
    if (kind == "instances") return {{"p-0123456789ab", "/p"}, {"mine", "/q"}};
    return {};
}

completion complete(const std::vector<std::string>& line) { return complete_line(line, known_words); }

std::vector<std::string> words(const std::vector<std::string>& line) {
    std::vector<std::string> found;
    for (const auto& each : complete(line).words)
        found.push_back(each.word);
    return found;
}

using list = std::vector<std::string>;

bool has(const list& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(completing_a_line)

BOOST_AUTO_TEST_CASE(the_first_word_is_a_verb) {
    BOOST_TEST(words({"hob", "stat"}) == list{"status"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", ""}).size() == all_commands().size());
    BOOST_TEST(words({"hob", "-C", "/p", "--json", "pin"}) == list{"ping"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_unknown_verb_has_no_completions) { BOOST_TEST(words({"hob", "nosuch", ""}).empty()); }

BOOST_AUTO_TEST_CASE(help_takes_verbs_and_keys_of_hob_toml) {
    BOOST_TEST(words({"hob", "help", ""}).size() == all_commands().size());
    BOOST_TEST(words({"hob", "help", "rest"}) == list{"restart"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "help", "ready.t"}) == (list{"ready.tcp", "ready.timeout"}),
               boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "help", "task.r"}) ==
                   (list{"task.run", "task.retry", "task.retry.max", "task.retry.delay"}),
               boost::test_tools::per_element());
    BOOST_TEST(has(words({"hob", "help", "max"}), "max_restarts"));
}

BOOST_AUTO_TEST_CASE(attach_completes_what_clients_can_be_attached_to) {
    BOOST_TEST(words({"hob", "attach", ""}) == (list{"calc", "web"}), boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "attach", "web", ""}).empty());
    BOOST_TEST(words({"hob", "attach", "--l"}) == list{"--linger"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(verbs_that_take_units_complete_each_unit_once) {
    BOOST_TEST(words({"hob", "status", ""}) == (list{"calc", "db"}), boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "status", "calc", ""}) == list{"db"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "ping", ""}).empty());
}

BOOST_AUTO_TEST_CASE(call_completes_workers_and_no_methods) {
    BOOST_TEST(words({"hob", "call", ""}) == list{"calc"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "call", "calc", ""}).empty());
}

BOOST_AUTO_TEST_CASE(C16_run_and_runs_complete_tasks_and_options_their_values) {
    BOOST_TEST(words({"hob", "run", ""}) == list{"build"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "runs", "b"}) == list{"build"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "wait", "--for", ""}) == (list{"ready", "stopped", "idle"}),
               boost::test_tools::per_element());
    BOOST_TEST((words({"hob", "up", "--exit-with", ""}) == list{"calc", "db"}));
    BOOST_TEST(words({"hob", "wait", "db", "--for=s"}) == list{"--for=stopped"},
               boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "logs", "--level", "w"}) == list{"warning"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_option_with_fixed_values_completes_them) {
    for (const command* verb : all_commands()) {
        for (const auto& row : verb->options) {
            const std::string option = "--" + std::string(row.name.substr(0, row.name.find(',')));
            const bool fixed =
                row.value == "STATE" || row.value == "WHEN" || row.value == "LEVEL" || row.value == "KIND";
            if (fixed) BOOST_TEST(!words({"hob", std::string(verb->name), option, ""}).empty(), option);
        }
    }
}

BOOST_AUTO_TEST_CASE(options_of_the_verb_and_of_hob) {
    const list own = words({"hob", "status", "--"});
    BOOST_TEST(has(own, "--watch"));
    BOOST_TEST(has(own, "--json"));
    BOOST_TEST(!has(own, "--foreground"));
    BOOST_TEST(words({"hob", "status", "--wa"}) == list{"--watch"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(values_of_options_in_either_form) {
    BOOST_TEST(words({"hob", "--color", "a"}) == (list{"auto", "always"}), boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "--color=n"}) == list{"--color=never"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "--instance", "m"}) == list{"mine"}, boost::test_tools::per_element());
    BOOST_TEST((complete({"hob", "-C", ""}).more == more_words::directories));
    BOOST_TEST((complete({"hob", "--directory", ""}).more == more_words::directories));
}

BOOST_AUTO_TEST_CASE(the_directory_option_selects_the_project) {
    BOOST_TEST(words({"hob", "-C", "/other", "status", ""}) == list{"other"},
               boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "-C/other", "status", ""}) == list{"other"}, boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "status", "--directory=/other", ""}) == list{"other"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_shells_and_verbs) {
    BOOST_TEST((complete({"hob", "check", ""}).more == more_words::files));
    BOOST_TEST(words({"hob", "completions", ""}) == (list{"bash", "fish", "zsh"}),
               boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "help", "sta"}) == (list{"start", "status"}), boost::test_tools::per_element());
    BOOST_TEST(words({"hob", "help", "status", ""}).empty());
}

BOOST_AUTO_TEST_CASE(a_link_named_like_a_verb_completes_as_that_verb) {
    BOOST_TEST(words({"/usr/bin/hob-status", ""}) == (list{"calc", "db"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(words_after_the_dashes_are_not_completed) {
    BOOST_TEST(words({"hob", "status", "--", "-"}).empty());
}

BOOST_AUTO_TEST_CASE(degenerate_command_lines_are_accepted) {
    BOOST_TEST(words({}).size() == all_commands().size());
    BOOST_TEST(words({"hob"}).size() == all_commands().size());
    BOOST_TEST(words({"hob", "--=", ""}).size() == all_commands().size());
    words({"hob", "-", "--", "--", ""});
}

BOOST_AUTO_TEST_CASE(each_word_is_a_line_and_the_shell_directive_is_the_last) {
    completion found;
    found.words = {{"a", "help"}, {"b", ""}};
    found.more = more_words::files;
    BOOST_TEST(completion_text(found) == "a\thelp\nb\n:files\n");
}

BOOST_AUTO_TEST_SUITE_END()
