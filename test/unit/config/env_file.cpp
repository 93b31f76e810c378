#include "unit/config/env_file.hpp"

#include <stdlib.h>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "error.hpp"
#include "fixtures/npm.hpp"
#include "harness/command_output.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

namespace json = boost::json;
using namespace hob;

namespace {

constexpr const char* cases_path = HOB_SOURCE_DIR "/test/fixtures/env_files.json";

json::value corpus() {
    std::ifstream file(cases_path);
    std::stringstream text;
    text << file.rdbuf();
    return json::parse(text.str());
}

// The variables of the file as an object, or the reason why there are none.
json::value result_of(std::string_view text, const unit::variables& base) {
    const auto read = unit::parse_env_file(text, ".env");
    if (read.fault) return json::string(std::to_string(read.fault->line) + ": " + read.fault->reason);
    try {
        const auto all = unit::expand_layers(base, {read.variables}, "x");
        json::object found;
        for (const auto& each : read.variables)
            found[each.name] = all.at(each.name);
        return found;
    } catch (const failure& why) {
        return json::string(why.what());
    }
}

json::value result_of(const json::object& row) {
    unit::variables base;
    if (const auto* given = row.if_contains("base")) {
        for (const auto& [name, value] : given->as_object())
            base.emplace(name, value.as_string());
    }
    return result_of(std::string_view(row.at("text").as_string()), base);
}

// What another program reads from each case: a line of its output for each.
std::vector<json::value> judged_by(const std::string& command) {
    std::vector<json::value> verdicts;
    std::istringstream lines(test::output_of(command));
    for (std::string line; std::getline(lines, line);)
        verdicts.push_back(json::parse(line));
    return verdicts;
}

// dotenv and dotenv-expand; empty where they are not installed.
std::vector<json::value> judged_by_dotenv() {
    if (!test::require_npm("dotenv-expand")) return {};
    return judged_by("node '" HOB_SOURCE_DIR "/test/fixtures/dotenv_judge.js' '" HOB_NPM "' '" +
                     std::string(cases_path) + "'");
}

// The parser of docker-compose, which Debian's Python finds; empty where it is not installed.
std::vector<json::value> judged_by_compose() {
    if (!test::require_program("docker-compose")) return {};
    return judged_by("/usr/bin/python3 '" HOB_SOURCE_DIR "/test/fixtures/compose_judge.py' '" +
                     std::string(cases_path) + "' 2>/dev/null");
}

std::string text_of(std::string_view text, const unit::variables& base = {}) {
    return json::serialize(result_of(text, base));
}

// The value of X in one layer above others.
std::string layered(const unit::variables& base,
                    const std::vector<std::vector<unit::written_variable>>& layers) {
    try {
        return unit::expand_layers(base, layers, "web").at("X");
    } catch (const failure& why) {
        return why.what();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(env_files)

BOOST_AUTO_TEST_CASE(U31_each_file_is_read_as_by_dotenv_and_compose_or_the_difference_has_a_reason) {
    const json::value all = corpus();
    const auto& cases = all.at("cases").as_array();
    const auto verdicts = judged_by_dotenv();
    BOOST_TEST(cases.size() >= 200u);
    const auto of_compose = judged_by_compose();
    if (!verdicts.empty()) BOOST_REQUIRE_EQUAL(verdicts.size(), cases.size());
    if (!of_compose.empty()) BOOST_REQUIRE_EQUAL(of_compose.size(), cases.size());
    std::set<std::string> unneeded;
    for (const auto& reason : all.at("reasons").as_object())
        unneeded.insert(std::string(reason.key()));
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& row = cases[i].as_object();
        const json::value result = result_of(row);
        const auto* differs = row.if_contains("differs");
        BOOST_TEST_CONTEXT(json::serialize(row) << "\nhob: " << json::serialize(result)) {
            if (differs) {
                BOOST_TEST((result == row.at("result")));
                BOOST_TEST(all.at("reasons").as_object().contains(differs->as_string()));
                unneeded.erase(std::string(differs->as_string()));
            }
            if (!verdicts.empty()) BOOST_TEST((result == verdicts[i]) == (differs == nullptr));
            const auto* from_compose = row.if_contains("compose");
            if (from_compose) {
                BOOST_TEST(all.at("reasons").as_object().contains(from_compose->as_string()));
                unneeded.erase(std::string(from_compose->as_string()));
            }
            if (!of_compose.empty()) BOOST_TEST((result == of_compose[i]) == (from_compose == nullptr));
        }
    }
    BOOST_TEST(unneeded.empty());
}

BOOST_AUTO_TEST_CASE(U31_a_mistake_names_its_line) {
    BOOST_TEST(text_of("# c\n\nA='1\n2'\nwhat\n") == "\"5: no '='\"");
    BOOST_TEST(text_of("A=1\r\nB=\"\r\nC=2\r\n") == "\"2: the quote \\\" is not closed\"");
    BOOST_TEST(text_of(std::string_view("A=1\nB=a\0b\n", 10)) == "\"2: a NUL byte\"");
    BOOST_TEST(text_of(std::string_view("A=1\nB='a\0b'\n", 12)) == "\"2: a NUL byte\"");
    BOOST_TEST(text_of(std::string_view("A=1\nB=\"a\\\0b\"\n", 13)) == "\"2: a NUL byte\"");
    BOOST_TEST(text_of("A=\xff\xfe") == "{\"A\":\"\xff\xfe\"}");
}

BOOST_AUTO_TEST_CASE(U31_a_dollar_that_is_written_as_a_literal_stays_one) {
    BOOST_TEST(text_of("A=1\nB=\"\\${A} $${A} \\$${A}\"") == R"({"A":"1","B":"${A} ${A} $1"})");
    BOOST_TEST(text_of("A=1\nB='$'\nC=${B}{A}") == R"({"A":"1","B":"$","C":"${A}"})");
    BOOST_TEST(text_of("B=${A:-\\${x}}") == R"({"B":"${x}"})");
    BOOST_TEST(text_of("B=${A:-a} ${A:-}${A") == R"({"B":"a ${A"})");
    BOOST_TEST(text_of("B=${A:-x ${C:-d}") == R"({"B":"${A:-x d"})");
}

BOOST_AUTO_TEST_CASE(U31_later_layers_replace_earlier_ones_and_a_name_means_the_one_below_in_its_own_value) {
    const unit::variables base{{"X", "base"}, {"Y", "${raw}"}};
    const auto value = [](const char* name, const char* text, const char* origin) {
        return unit::written_variable{name, text, origin};
    };
    BOOST_TEST(layered(base, {{value("X", "${X}:1", "'.env:1'")}, {value("X", "${X}:2", "env")}}) ==
               "base:1:2");
    BOOST_TEST(layered(base, {{value("X", "${X}:1", "'.env:1'"), value("X", "${X}:2", "'.env:2'")}}) ==
               "base:2");
    BOOST_TEST(layered(base, {{value("X", "${Z}", "'.env:1'")}, {value("Z", "late", "env")}}) == "late");
    BOOST_TEST(layered(base, {{value("X", "${Y}", "env")}}) == "${raw}");
    BOOST_TEST(layered({}, {{value("X", "${X:-none}", "env")}}) == "none");
    BOOST_TEST(
        layered(base, {{value("X", "${A}", "env"), value("A", "${B}", "env"), value("B", "${A}", "env")}}) ==
        "cannot start 'web': its variable 'A' in env needs itself: A -> B -> A");
    BOOST_TEST(layered(base, {{value("X", "${X}", "'.env:1'"), value("A", "1", "'.env:2'")},
                              {value("A", "${X}${A}", "env"), value("X", "${A}", "env")}}) ==
               "cannot start 'web': its variable 'A' in env needs itself: A -> X -> A");
    BOOST_TEST(layered(base, {{value("X", "${NO}", "'/p/.env:7'")}}) ==
               "cannot start 'web': its variable 'X' in '/p/.env:7' needs 'NO', which is not set");
}

BOOST_AUTO_TEST_CASE(U31_expansion_is_bounded) {
    const auto chain = [](std::size_t length, const std::string& value) {
        std::vector<unit::written_variable> layer{{"X", "${V0}", "env"}};
        for (std::size_t i = 0; i < length; ++i)
            layer.push_back({"V" + std::to_string(i), "${V" + std::to_string(i + 1) + "}" + value, "env"});
        layer.push_back({"V" + std::to_string(length), "end", "env"});
        return layered({}, {layer});
    };
    BOOST_TEST(chain(50, "") == "end");
    BOOST_TEST(chain(100'000, "").ends_with("is nested too deeply"));
    std::string laughs, nested;
    for (int i = 0; i < 30; ++i)
        laughs +=
            "L" + std::to_string(i) + "=${L" + std::to_string(i + 1) + "}${L" + std::to_string(i + 1) + "}\n";
    BOOST_TEST(text_of(laughs + "L30=ha\n").ends_with("is longer than 128 KiB\""));
    for (int i = 0; i < 40'000; ++i)
        nested += "${N:-";
    BOOST_TEST(text_of("A=" + nested).ends_with("is longer than 128 KiB\""));
    BOOST_TEST(text_of("A=" + nested.substr(0, 100'000)).size() > 100'000u);  // no default ends
    BOOST_TEST(
        text_of("A=" + nested.substr(0, 50'000) + std::string(10'000, '}')).ends_with("nested too deeply\""));
    std::string large = "L=" + std::string(100'000, 'x') + "\n";
    for (int i = 0; i < 100; ++i)
        large += "A" + std::to_string(i) + "=${L}\n";
    BOOST_TEST(text_of(large).ends_with("makes the environment larger than 6 MiB\""));
}

BOOST_AUTO_TEST_SUITE_END()
