// Everything that --json prints can be parsed.

#include <boost/test/unit_test.hpp>
#include <sstream>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"
#include "util/json/json_text.hpp"

using namespace hob::test;

namespace {

bool is_json(const std::string& text) { return !hob::util::validate_json(text, 512); }

bool is_json_lines(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!is_json(line)) return false;
    }
    return true;
}

// Standard error: nothing, or one error object. Standard output: nothing, one JSON text, or one on each line.
void check(const outcome& done) {
    BOOST_TEST_CONTEXT(done.text()) {
        const bool one_text = done.out.empty() || is_json(done.out) || is_json_lines(done.out);
        BOOST_TEST(one_text);
        if (!done.err.empty()) {
            BOOST_TEST(is_json(done.err));
            BOOST_TEST(json_at(done.err, "/error/code").has_value());
            BOOST_TEST(json_at(done.err, "/error/message").has_value());
            BOOST_TEST(json_at(done.err, "/error/hint").has_value());
        }
        BOOST_TEST((done.status == 0 || !done.err.empty() || !done.out.empty()));
    }
}

const std::vector<std::vector<std::string>> commands = {
    {"call", "calc", "add", "a:=1"},
    {"call", "nosuch", "x"},
    {"check"},
    {"completions", "bash"},
    {"completions", "--words", "units"},
    {"doctor"},
    {"help"},
    {"help", "status"},
    {"list"},
    {"logs", "-n", "3"},
    {"ping"},
    {"prompt"},
    {"reload"},
    {"restart", "calc"},
    {"start", "calc"},
    {"start", "nosuch"},
    {"status"},
    {"status", "calc"},
    {"status", "nosuch"},
    {"status", "--all"},
    {"stop", "calc"},
    {"events", "--timeout", "200ms"},
    {"daemon"},
    {"shutdown"},
};

void check_all(sandbox& box) {
    for (auto words : commands) {
        words.insert(words.begin(), "--json");
        const auto done = box.run(words);
        BOOST_TEST_CONTEXT(words[1] << " " << (words.size() > 2 ? words[2] : "")) { check(done); }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_json)

BOOST_AUTO_TEST_CASE(C07_with_a_daemon) {
    sandbox box;
    make_calc_project(box);
    box.run({"call", "calc", "add"});
    check_all(box);
}

BOOST_AUTO_TEST_CASE(C07_without_a_daemon) {
    sandbox box;
    make_calc_project(box);
    for (auto words : commands) {
        words.insert(words.begin(), {"--json", "--no-spawn"});
        if (words[2] != "daemon") check(box.run(words));
    }
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_CASE(C07_with_a_broken_configuration) {
    sandbox box;
    box.config("[worker.calc\n");
    check_all(box);
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_CASE(C07_wrong_command_lines) {
    sandbox box;
    make_calc_project(box);
    const std::vector<std::vector<std::string>> wrong = {
        {"nosuch"},
        {},
        {"status", "--nosuch"},
        {"ping", "extra"},
        {"call"},
        {"status", "--all", "--watch"},
        {"completions"},
        {"completions", "tcsh"},
        {"help", "nosuch"},
        {"--color", "blue", "ping"},
        {"--timeout", "soon", "ping"},
        {"--instance", "..", "ping"},
    };
    for (auto words : wrong) {
        words.insert(words.begin(), "--json");
        const auto done = box.run(words);
        check(done);
        BOOST_TEST_CONTEXT(done.text()) {
            BOOST_TEST(done.status == 2);
            BOOST_TEST(json_at(done.err, "/error/code").value_or("") == "usage");
        }
    }
    // L29: none of them has started a daemon.
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(C07_nothing_is_still_json) {
    sandbox box;
    const auto list = box.run({"list", "--json"});
    BOOST_TEST(list.out == "[]\n");
    BOOST_TEST(list.status == 0);
    BOOST_TEST(box.run({"status", "--all", "--json"}).out == "[]\n");
    BOOST_TEST(box.run({"prompt", "--json"}).out ==
               "{\"segment\":\"\",\"state\":\"stopped\",\"up\":0,\"failed\":0,\"total\":0}\n");
}

BOOST_AUTO_TEST_SUITE_END()
