#include "unit/protocol/lsp/watchers.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using watchers = hob::unit::lsp_watchers;

namespace {

std::string watching(const std::string& id, const std::string& patterns) {
    return R"({"registrations":[{"id":")" + id +
           R"(","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[)" + patterns +
           "]}}]}";
}

bool asks_for(const watchers& all, const std::string& path) {
    const std::string root = "/r";
    return watchers::question(all, root).is_of(path);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_watchers)

BOOST_AUTO_TEST_CASE(a_server_gets_the_changes_that_it_asks_for) {
    watchers all;
    BOOST_TEST(asks_for(all, "/r/a.txt"));
    all.on_register("/r", watching("1", R"({"globPattern":"**/*.c"})"));
    all.on_register(
        "/r",
        watching("2",
                 R"({"globPattern":{"baseUri":"file:///r/sub","pattern":"*.h"}},{"globPattern":"/x/*"})"));
    BOOST_TEST(asks_for(all, "/r/a/b.c"));
    BOOST_TEST(asks_for(all, "/r/sub/b.h"));
    BOOST_TEST(asks_for(all, "/x/b"));
    BOOST_TEST(!asks_for(all, "/r/b.h"));
    all.on_register("/r", watching("1", R"({"globPattern":"*.d"})"));
    BOOST_TEST(!asks_for(all, "/r/a/b.c"));
    all.on_unregister(R"({"unregisterations":[{"id":"1"},{"id":"2"}]})");
    BOOST_TEST(asks_for(all, "/r/a.txt"));
}

BOOST_AUTO_TEST_CASE(P16_patterns_that_take_too_long_are_no_longer_tried) {
    std::string patterns, braces = "0";
    for (int i = 1; i < 250; ++i)
        braces += ",*a*a*" + std::to_string(i);
    for (int i = 0; i < 900; ++i)
        patterns += std::string(i == 0 ? "" : ",") + R"({"globPattern":"**/*a*a*/{)" + braces + "}/x\"}";
    watchers all;
    all.on_register("/r", watching("1", patterns));
    std::string path = "/r";
    for (int i = 0; i < 40; ++i)
        path += "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const auto began = std::chrono::steady_clock::now();
    const std::string root = "/r";
    watchers::question question(all, root);
    BOOST_TEST(!watchers::question(all, root).is_of("/elsewhere"));
    for (int i = 0; i < 1000; ++i)
        question.is_of(path);
    BOOST_TEST(question.is_of(path));
    BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(20)));
}

BOOST_AUTO_TEST_CASE(P16_of_too_many_patterns_the_rest_is_every_path) {
    std::string patterns = R"({"globPattern":"*.c"})";
    for (int i = 0; i < 998; ++i)
        patterns += R"(,{"globPattern":"*.c"})";
    watchers all;
    all.on_register("/r", watching("1", patterns));
    BOOST_TEST(!asks_for(all, "/r/x.h"));
    all.on_register("/r",
                    watching("2", R"({"globPattern":"*.c"},{"globPattern":"*.c"},{"globPattern":"*.c"})"));
    BOOST_TEST(asks_for(all, "/r/x.h"));
    all.on_unregister(R"({"unregisterations":[{"id":"2"}]})");
    BOOST_TEST(!asks_for(all, "/r/x.h"));
}

BOOST_AUTO_TEST_SUITE_END()
