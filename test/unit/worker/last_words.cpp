#include "unit/worker/last_words.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string last_words(std::string_view output) {
    std::vector<std::string> lines;
    while (!output.empty()) {
        const std::string_view line = output.substr(0, output.find('\n'));
        lines.emplace_back(line);
        output.remove_prefix(std::min(line.size() + 1, output.size()));
    }
    return hob::unit::last_words(lines);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(last_words_)

BOOST_AUTO_TEST_CASE(the_last_line_counts) {
    BOOST_TEST(last_words("") == "");
    BOOST_TEST(last_words("\n \r\n") == "");
    BOOST_TEST(last_words("one\ntwo\n\n") == "two");
    BOOST_TEST(last_words("Error: an old one\nall is well\n") == "all is well");
    BOOST_TEST(last_words("Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no\n") ==
               "ValueError: no");
    BOOST_TEST(last_words("at last\n") == "at last");
}

BOOST_AUTO_TEST_CASE(of_a_stack_the_error_counts) {
    BOOST_TEST(last_words("node:internal/modules/cjs/loader:1228\n  throw err;\n  ^\n\n"
                          "Error: Cannot find module '/nope'\nRequire stack:\n- /a.js\n"
                          "    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)\n"
                          "    at node:internal/main/run_main_module:28:49 {\n  code: 'MODULE_NOT_FOUND',\n"
                          "  requireStack: [ '/a.js' ]\n}\n\nNode.js v20.20.2\n") ==
               "Error: Cannot find module '/nope'");
    BOOST_TEST(
        last_words("TypeError [ERR_INVALID_ARG_TYPE]: the path\n    at f (a.js:1:1)\n\nNode.js v20.1.0") ==
        "TypeError [ERR_INVALID_ARG_TYPE]: the path");
    BOOST_TEST(
        last_words("Exception in thread \"main\" a.b.StartException: no\n\tat a.b.Main.main(Main.java:1)\n"
                   "Caused by: java.io.IOException: gone\n\tat a.b.Main.f(Main.java:2)\n\t... 1 more\n"
                   "\tat a.b.End\n") == "Caused by: java.io.IOException: gone");
    BOOST_TEST(last_words("    at f (a.js:1:1)\n") == "    at f (a.js:1:1)");
    BOOST_TEST(last_words("nothing else\nNode.js v20.20.2\n") == "Node.js v20.20.2");
}

BOOST_AUTO_TEST_SUITE_END()
