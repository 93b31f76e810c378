// The program's own name as a verb, hob-VERB programs, and the links that --install creates.

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_project {
    sandbox box;
    std::string bin;  // in PATH
    with_project() : bin(box.root() + "/bin") { make_calc_project(box); }

    outcome as(const std::string& name, const std::vector<std::string>& words = {}) {
        run_options options;
        options.argv0 = name;
        return box.run(words, options);
    }
    // A program that prints how it was called.
    void external(const std::string& name, const std::string& body = "exit 7") {
        box.write(bin + "/" + name,
                  "#!/bin/bash\nprintf '%s' \"${0##*/}\"; printf ' <%s>' \"$@\"; echo\n" + body + "\n", 0755);
    }
    std::vector<std::string> verbs() {
        std::vector<std::string> all;
        const std::string text = box.run({"completions", "--words", "verbs"}).out;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            all.push_back(text.substr(at, text.find_first_of("\t\n", at) - at));
            at = end + 1;
        }
        return all;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cli_names, with_project)

BOOST_AUTO_TEST_CASE(a_link_named_like_a_verb_runs_that_verb) {
    BOOST_TEST(as("hob-status").status == 3);
    const auto ping = as("/anywhere/hob-ping", {"--json"});
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(json_at(ping.out, "/pid").value_or("") == std::to_string(box.daemon_pid()));
    // The daemon is called hob in any case.
    BOOST_TEST(
        slurp("/proc/" + std::to_string(box.daemon_pid()) + "/cmdline").starts_with(std::string("hob\0", 4)));
    BOOST_TEST(as("hob-call", {"calc", "add", "a:=2", "b:=3"}).out == "5\n");
    run_options elsewhere;
    elsewhere.argv0 = "hob-call";
    elsewhere.cwd = "/";
    BOOST_TEST(box.run({"-C", box.project(), "echo", "again"}, elsewhere).out == "\"again\"\n");
    // A word that names another verb is an argument.
    BOOST_TEST(as("hob-call", {"echo", "status"}).out == "\"status\"\n");
    BOOST_TEST(as("hob-ping", {"status"}).status == 2);
    BOOST_TEST(as("hob-help", {"call"}).out == box.run({"call", "--help"}).out);
}

BOOST_AUTO_TEST_CASE(an_unknown_verb_runs_the_program_of_that_name_from_path) {
    external("hob-foo");
    const auto done = box.run({"foo", "a b", "", "-x", "--", "--json", "c"});
    BOOST_TEST(done.out == "hob-foo <a b> <> <-x> <--> <--json> <c>\n");
    BOOST_TEST(done.status == 7);
    external("hob-die", "kill -9 $$");
    BOOST_TEST(box.run({"die"}).signal == SIGKILL);
    run_options input;
    input.input = "from stdin";
    external("hob-cat", "cat");
    BOOST_TEST(box.run({"cat"}, input).out.ends_with("from stdin"));
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(built_in_verbs_are_never_looked_up_in_path) {
    external("hob-ping");
    external("hob-status");
    BOOST_TEST(box.run({"status"}).out.starts_with("stopped\n"));
    BOOST_TEST(box.run({"ping"}).out.find("hob-ping") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_link_named_like_a_verb_runs_no_other_program) {
    external("hob-foo");
    external("hob-bar");
    for (const auto& [name, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"hob-foo", {}}, {"hob-foo", {"bar"}}}) {
        const auto done = as(name, words);
        BOOST_TEST_CONTEXT(name << ": " << done.text()) {
            BOOST_TEST(done.status == 2);
            BOOST_TEST(done.out == "");
            BOOST_TEST(done.err.find("'hob foo': no such verb") != std::string::npos);
        }
    }
    // A link of that name to hob itself does not recurse.
    BOOST_REQUIRE(::symlink(box.binary().c_str(), (bin + "/hob-loop").c_str()) == 0);
    const auto loop = box.run({"loop"});
    BOOST_TEST(loop.status == 2, loop.text());
    BOOST_TEST(loop.elapsed < 5s);
}

BOOST_AUTO_TEST_CASE(L29_no_such_verb_and_no_such_program_is_a_usage_error_with_a_suggestion) {
    const auto done = box.run({"pnig"});
    BOOST_TEST(done.status == 2);
    BOOST_TEST(done.err == "hob: cannot run 'hob pnig': no such verb\nhint: did you mean 'hob ping'?\n");
    external("hob-plain");
    box.write(bin + "/hob-plain", "not executable", 0644);
    BOOST_TEST(box.run({"plain"}).status == 2);
    BOOST_TEST(box.run({"../evil"}).status == 2);
    BOOST_TEST(json_at(box.run({"--json", "pnig"}).err, "/error/code").value_or("") == "usage");
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(C15_words_of_other_programs_and_beginnings_get_a_pointer) {
    const std::vector<std::pair<std::string, std::string>> pointers{
        {"ps", "status"},     {"version", "--version"}, {"kill", "stop"},   {"exec", "run -- CMD"},
        {"tail", "logs -f"},  {"validate", "check"},    {"stat", "status"}, {"res", "restart"},
        {"shut", "shutdown"}, {"top", "status --watch"}};
    for (const auto& [word, meant] : pointers) {
        const auto done = box.run({word});
        BOOST_TEST(done.status == 2, done.text());
        BOOST_TEST(done.err == "hob: cannot run 'hob " + word + "': no such verb\nhint: did you mean 'hob " +
                                   meant + "'?\n");
    }
    BOOST_TEST(box.run({"-V"}).out == box.run({"--version"}).out);
    BOOST_TEST(box.run({"-h"}).out == box.run({"--help"}).out);
    BOOST_TEST(box.run({"status", "-h"}).out == box.run({"status", "--help"}).out);
    BOOST_TEST(box.run({"status", "-V"}).status == 0);
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(install_creates_a_working_link_for_every_verb) {
    const std::string links = box.root() + "/links";
    std::filesystem::create_directory(links);
    const auto installed = box.run({"--install", links});
    BOOST_TEST(installed.status == 0, installed.text());
    const auto names = verbs();
    BOOST_TEST(names.size() > 10u);
    std::string expected;
    for (const auto& verb : names) {
        const std::string link = links + "/hob-" + verb;
        expected += link + "\n";
        run_options by_link;
        by_link.program = link;
        const auto help = box.run({"--help"}, by_link);
        BOOST_TEST(help.out == box.run({verb, "--help"}).out, link);
        BOOST_TEST(help.status == 0);
    }
    BOOST_TEST(installed.out == expected);
    run_options ping;
    ping.program = links + "/hob-ping";
    BOOST_TEST(box.run({}, ping).status == 0);
    // Again, as after an update: links are replaced.
    BOOST_TEST(box.run({"--install", links}).status == 0);
}

BOOST_AUTO_TEST_CASE(install_replaces_no_file_and_reports_failures) {
    const std::string links = box.root() + "/links";
    const auto missing = box.run({"--install", links});
    BOOST_TEST(missing.status != 0);
    BOOST_TEST(missing.err.find(links) != std::string::npos, missing.text());
    std::filesystem::create_directory(links);
    box.write(links + "/hob-list", "mine");
    const auto done = box.run({"--install", links});
    BOOST_TEST(done.status == 2);
    BOOST_TEST(done.err.find("hob-list") != std::string::npos, done.text());
    BOOST_TEST(slurp(links + "/hob-list") == "mine");
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_SUITE_END()
