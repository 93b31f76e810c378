// Good tables of workers, and what is read from them.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "fixtures/config_values.hpp"
#include "unit/config/config.hpp"

using namespace hob::test;
using namespace hob::unit;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(config_worker_values)

BOOST_AUTO_TEST_CASE(workers) {
    const worker_spec plain = worker("");
    BOOST_TEST((plain.protocol == &hob::unit::jsonrpc_protocol));
    BOOST_TEST(plain.initialize_json == "{}");
    BOOST_TEST(!plain.idle_timeout);
    BOOST_TEST((plain.call_timeout == 30s));
    for (const std::string word : {"jsonrpc", "lsp", "dap", "mcp", "lines"}) {
        BOOST_TEST(worker("protocol = \"" + word + "\"\n").protocol->name == word);
    }
    const worker_spec full =
        worker("protocol = \"lsp\"\nidle_timeout = \"15m\"\ncall_timeout = \"1500ms\"\n");
    BOOST_TEST((full.idle_timeout == 15min));
    BOOST_TEST((full.call_timeout == 1500ms));
    BOOST_TEST(worker("initialize = {}\n").initialize_json == "{}");
}

BOOST_AUTO_TEST_CASE(initialize_becomes_json_in_file_order) {
    const auto json = [](const std::string& table) {
        return worker("protocol = \"lsp\"\ninitialize = " + table + "\n").initialize_json;
    };
    BOOST_TEST(json("{ b = 1, a = \"x\\\"\\n\", c.d = true }") == R"({"b":1,"a":"x\"\n","c":{"d":true}})");
    BOOST_TEST(json("{ a = [1, 2.5, -9223372036854775808, [], {}] }") ==
               R"({"a":[1,2.5,-9223372036854775808,[],{}]})");
    BOOST_TEST(json("{ a = 2026-01-02T03:04:05Z, b = 07:32:00 }") ==
               R"({"a":"2026-01-02T03:04:05Z","b":"07:32:00"})");
    BOOST_TEST(json("{ \"\xC3\xA9\" = false }") == "{\"\xC3\xA9\":false}");
    BOOST_TEST(
        worker("protocol = \"mcp\"\n[worker.w.initialize.capabilities]\nroots = {}\n").initialize_json ==
        R"({"capabilities":{"roots":{}}})");
}

BOOST_AUTO_TEST_CASE(where_an_answer_of_lines_ends) {
    const std::string lines = "protocol = \"lines\"\n";
    BOOST_TEST((worker(lines).answer == answer_spec{}));
    BOOST_TEST((worker(lines + "answer = \"line\"\n").answer == answer_spec{}));
    const answer_spec until = worker(lines + "answer = { until = \"^END$\" }\n").answer;
    BOOST_TEST((until.form == answer_form::until));
    BOOST_TEST(until.until == "^END$");
    const answer_spec quiet = worker(lines + "[worker.w.answer]\nquiet = \"50ms\"\n").answer;
    BOOST_TEST((quiet.form == answer_form::quiet));
    BOOST_TEST((quiet.quiet == 50ms));
}

BOOST_AUTO_TEST_CASE(answers_settings_and_serial_of_workers) {
    const worker_spec plain = worker("");
    BOOST_TEST(plain.answers.empty());
    BOOST_TEST(plain.settings_json == "{}");
    BOOST_TEST(plain.serial.empty());
    const worker_spec full = worker(
        "protocol = \"lsp\"\nserial = [\"build\", \"t/x\"]\n"
        "answers = { \"workspace/applyEdit\" = { applied = true }, b = [1, 2.5], c = \"\", d = false }\n"
        "[worker.w.settings.clangd]\nlist = [{ x = 1 }, \"y\"]\n");
    BOOST_REQUIRE(full.answers.size() == 4u);
    BOOST_TEST(full.answers[0].first == "workspace/applyEdit");
    BOOST_TEST(full.answers[0].second == R"({"applied":true})");
    BOOST_TEST(full.answers[1].second == "[1,2.5]");
    BOOST_TEST(full.answers[2].second == R"("")");
    BOOST_TEST(full.answers[3].second == "false");
    BOOST_TEST(full.settings_json == R"({"clangd":{"list":[{"x":1},"y"]}})");
    BOOST_TEST(full.serial == (std::vector<std::string>{"build", "t/x"}), boost::test_tools::per_element());
    BOOST_TEST((worker("answers = { a = 1 }\n") != worker("answers = { a = 2 }\n")));
    BOOST_TEST((worker("serial = [\"a\"]\n") != worker("")));
}

BOOST_AUTO_TEST_CASE(the_schema_accepts_every_good_file_of_these_tests) { judge.judge(20); }

BOOST_AUTO_TEST_SUITE_END()
