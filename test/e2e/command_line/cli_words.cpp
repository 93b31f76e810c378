// Words on the command line that look like options or verbs.

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(cli_words)

BOOST_AUTO_TEST_CASE(C03_words_after_the_dashes_are_never_hobs_options) {
    sandbox box;
    make_calc_project(box);
    // `completions --words line` completes the command line after the dashes.
    const auto done =
        box.run({"completions", "--words", "line", "--", "hob", "--json", "--help", "--version", "pin"});
    BOOST_TEST(done.out.starts_with("ping\t"));
    BOOST_TEST(done.out.find('{') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(C03_a_verb_that_takes_no_command_refuses_one) {
    sandbox box;
    make_calc_project(box);
    const auto done = box.run({"status", "--", "--json"});
    BOOST_TEST(done.status == 2);
    BOOST_TEST(done.err.starts_with("hob: "));
}

BOOST_AUTO_TEST_CASE(C03_empty_huge_and_non_utf8_words_arrive_unchanged) {
    sandbox box;
    make_calc_project(box);
    BOOST_TEST(box.run({"help", ""}).status == 2);
    const std::string huge(128 * 1024 - 1, 'x');
    BOOST_TEST(box.run({"help", huge}).status == 2);
    const auto called = box.run({"call", "echo", huge.substr(0, 60000), huge.substr(0, 60000)});
    BOOST_TEST(called.status != -1);
    const auto bytes = box.run({"help", "a\xff\xfe"});
    BOOST_TEST(bytes.status == 2);
    const auto json = box.run({"--json", "help", "a\xff\xfe"});
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "usage");
    BOOST_TEST(box.run({"-C", "no\xffsuch", "status"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_empty_is_told_so) {
    sandbox box;
    make_calc_project(box);
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"start", ""},
                                               {"stop", "calc", ""},
                                               {"call", "", "add"},
                                               {"run", ""},
                                               {"logs", ""},
                                               {"wait", "", "--for", "idle"}}) {
        const auto output = box.run(words);
        BOOST_TEST(output.status == (words[0] == "run" ? 125 : 2), words[0]);
        BOOST_TEST(output.err.find(": a name is empty\nhint: usage: hob " + words[0]) != std::string::npos,
                   output.err);
    }
}

BOOST_AUTO_TEST_CASE(C03_global_options_stand_anywhere_before_the_dashes) {
    sandbox box;
    make_calc_project(box);
    run_options elsewhere;
    elsewhere.cwd = "/";
    for (const auto& words : {std::vector<std::string>{"-C", box.project(), "--json", "status"},
                              {"status", "--json", "-C", box.project()},
                              {"status", "-C" + box.project(), "--json"},
                              {"--json", "status", "--directory=" + box.project()}}) {
        const auto done = box.run(words, elsewhere);
        BOOST_TEST_CONTEXT(done.text()) {
            BOOST_TEST(json_at(done.out, "/root").value_or("") == box.project());
        }
    }
}

BOOST_AUTO_TEST_CASE(C08_without_a_project_verbs_about_units_say_so_and_start_nothing) {
    sandbox box;
    ::unlink((box.project() + "/hob.toml").c_str());
    for (const auto& words : {std::vector<std::string>{"start"},
                              {"start", "web"},
                              {"stop"},
                              {"restart", "web"},
                              {"wait", "web"},
                              {"reload"},
                              {"call", "web", "x"},
                              {"attach", "web"},
                              {"run", "web"},
                              {"status", "web"},
                              {"check"}}) {
        const auto done = box.run(words);
        BOOST_TEST_CONTEXT(words.front() << ": " << done.text()) {
            BOOST_TEST(done.status == (words.front() == "run" ? 125 : 2));
            BOOST_TEST(done.err == "hob: cannot run 'hob " + words.front() + "': no hob.toml in " +
                                       box.project() + " or above it\nhint: hob init writes one here\n");
        }
    }
    const auto json = box.run({"start", "--json"});
    BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "no_project");
    BOOST_TEST(box.run({"-C", "/", "start"}).err.find("no hob.toml in / or above it") != std::string::npos);
    BOOST_TEST(!exists(box.runtime() + "/user.pid"));
    BOOST_TEST(box.run({"status"}).out == "stopped\n");
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"start"}).status == 2);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"init"}).status == 0);
    BOOST_TEST(box.run({"check"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L29_a_usage_error_starts_nothing) {
    sandbox box;
    make_calc_project(box);
    for (const auto& words : {std::vector<std::string>{"ping", "--nosuch"},
                              {"events", "extra"},
                              {"call"},
                              {"--timeout", "x", "ping"},
                              {"start", "--", "x"}}) {
        const auto done = box.run(words);
        BOOST_TEST_CONTEXT(done.text()) { BOOST_TEST(done.status == 2); }
        BOOST_TEST(!exists(box.pid_file()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
