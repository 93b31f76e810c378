#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(help)

BOOST_AUTO_TEST_CASE(it_needs_neither_project_nor_home) {
    sandbox box;
    run_options options;
    options.empty_env = true;
    options.cwd = "/";
    for (const auto& words :
         {std::vector<std::string>{"help"}, {"--help"}, {"help", "status"}, {"status", "--help"}}) {
        const auto done = box.run(words, options);
        BOOST_TEST(done.status == 0);
        BOOST_TEST(done.err == "");
        BOOST_TEST(done.out.find("Usage:") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_verb_nearly_right_is_suggested) {
    sandbox box;
    const auto done = box.run({"help", "staus"});
    BOOST_TEST(done.status == 2);
    BOOST_TEST(done.err.find("did you mean 'status'?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(C02_it_wraps_at_40_columns) {
    sandbox box;
    run_options options;
    options.env = {{"COLUMNS", "40"}};
    const auto done = box.run({"help"}, options);
    std::size_t at = done.out.find("Verbs:");
    const std::size_t end = done.out.find("More:");
    while (at < end) {
        const std::size_t newline = done.out.find('\n', at);
        BOOST_TEST(newline - at <= 40u);
        at = newline + 1;
    }
}

BOOST_AUTO_TEST_SUITE_END()
