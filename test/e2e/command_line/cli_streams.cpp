// Standard output and error in unusual states.

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

const std::vector<std::pair<std::vector<std::string>, int>> commands = {
    {{"ping"}, 0},
    {{"status"}, 0},
    {{"status", "--json"}, 0},
    {{"list"}, 0},
    {{"help"}, 0},
    {{"doctor"}, 0},
    {{"logs"}, 0},
    {{"completions", "zsh"}, 0},
    {{"prompt"}, 0},
    {{"nosuch"}, 2},
    {{"call", "nosuch", "x"}, 1},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_streams)

BOOST_AUTO_TEST_CASE(C01_closed_descriptors_change_no_exit_status) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    for (const auto& [words, status] : commands) {
        for (int closed = 1; closed < 4; ++closed) {
            run_options options;
            options.close_stdout = closed & 1;
            options.close_stderr = closed & 2;
            const auto done = box.run(words, options);
            BOOST_TEST_CONTEXT(words[0] << " with " << closed << " closed: " << done.text()) {
                BOOST_TEST(done.status == status);
                BOOST_TEST(done.signal == 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(C01_a_reader_that_leaves_is_not_an_error) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    for (const auto& [words, status] : commands) {
        std::string line = "set -o pipefail; hob";
        for (const auto& word : words)
            line += " " + word;
        const auto done = box.shell("{ " + line + " 2>/dev/null; echo $? >&2; } | true");
        BOOST_TEST_CONTEXT(line) { BOOST_TEST(done.err == std::to_string(status) + "\n"); }
    }
}

BOOST_AUTO_TEST_CASE(C01_head_gets_its_lines) {
    sandbox box;
    make_calc_project(box);
    BOOST_TEST(box.shell("set -o pipefail; hob help | head -1 | wc -l").out == "1\n");
    BOOST_TEST(box.shell("hob completions bash | head -1; exit ${PIPESTATUS[0]}").status == 0);
}

BOOST_AUTO_TEST_CASE(C01_a_full_disk_is_an_error) {
    sandbox box;
    make_calc_project(box);
    if (!exists("/dev/full")) return;
    const auto done = box.shell("hob help > /dev/full");
    BOOST_TEST(done.status == 1);
    BOOST_TEST(done.err.find("No space left") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C02_no_colour_without_a_terminal_or_with_no_color) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    for (const auto& words : {std::vector<std::string>{"status"}, {"list"}, {"doctor"}, {"help"}}) {
        BOOST_TEST(box.run(words).out.find('\x1b') == std::string::npos);
        auto forced = words;
        forced.insert(forced.begin(), {"--color", "always"});
        BOOST_TEST(box.run(forced).out.find('\x1b') != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(C02_a_locale_without_utf8_gets_ascii) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    run_options options;
    options.env = {{"LC_ALL", "C"}};
    for (const auto& words : {std::vector<std::string>{"status"}, {"list"}, {"doctor"}, {"help"}}) {
        for (const char c : box.run(words, options).out)
            BOOST_REQUIRE(static_cast<unsigned char>(c) < 0x80);
    }
    options.env = {{"LC_ALL", "C.UTF-8"}};
    BOOST_TEST(box.run({"status"}, options).out.find("\u25cf") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
