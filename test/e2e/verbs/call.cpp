#include <signal.h>
#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace std::chrono_literals;
using hob::test::sandbox;

namespace {

const std::string fixtures = std::string(HOB_SOURCE_DIR) + "/test/fixtures";

std::string rpc(const std::string& more = {}) {
    return "[worker.w]\nrun = [\"python3\", \"" + fixtures + "/rpc_worker.py\"]\nprotocol = \"jsonrpc\"\n" +
           more + "[worker.l]\nrun = [\"python3\", \"" + fixtures +
           "/lines_worker.py\"]\nprotocol = \"lines\"\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(call)

BOOST_AUTO_TEST_CASE(params_are_read_in_every_form) {
    sandbox box;
    box.config(rpc());
    box.write("params.json", "{\n  \"n\": 1.50\n}\n");
    const auto echo = [&](std::vector<std::string> words, std::optional<std::string> input = std::nullopt) {
        std::vector<std::string> all{"call", "w", "echo"};
        all.insert(all.end(), words.begin(), words.end());
        hob::test::run_options options;
        options.input = input;
        const auto ran = box.run(all, options);
        BOOST_TEST_CONTEXT(ran.text()) { BOOST_TEST(ran.status == 0); }
        return ran.out;
    };
    BOOST_TEST(echo({}) == "null\n");
    BOOST_TEST(echo({R"({"a": [1, 2]})"}) == "{\"a\": [1, 2]}\n");
    BOOST_TEST(echo({"5"}) == "5\n");
    BOOST_TEST(echo({"name=x y", "n:=3"}) == "{\"name\": \"x y\", \"n\": 3}\n");
    box.write("text", "a \"text\"\n");
    BOOST_TEST(echo({"key=@text", "n:=@params.json"}) ==
               "{\"key\": \"a \\\"text\\\"\\n\", \"n\": {\"n\": 1.5}}\n");
    BOOST_TEST(echo({"user:=\"@me\""}) == "{\"user\": \"@me\"}\n");
    BOOST_TEST(echo({"plain", "words"}) == "[\"plain\", \"words\"]\n");
    BOOST_TEST(echo({"@params.json"}) == "{\"n\": 1.5}\n");
    BOOST_TEST(echo({"-"}, "[true]\n") == "[true]\n");
    BOOST_TEST(echo({"--raw", "\"text\""}) == "text\n");
    BOOST_TEST(box.run({"call", "l", "say", "hello", "--raw"}).out == "SAY HELLO\n");
}

BOOST_AUTO_TEST_CASE(C03_empty_large_and_odd_words_arrive_at_the_worker_as_they_are) {
    sandbox box;
    box.config(rpc());
    const auto echo = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "w", "echo"});
        const auto ran = box.run(words);
        BOOST_TEST(ran.status == 0, ran.text().substr(0, 1000));
        return ran.out;
    };
    BOOST_TEST(echo({""}) == "[\"\"]\n");
    BOOST_TEST(echo({"", ""}) == "[\"\", \"\"]\n");
    BOOST_TEST(echo({"a="}) == "{\"a\": \"\"}\n");
    BOOST_TEST(echo({" "}) == "[\" \"]\n");
    BOOST_TEST(echo({"-5"}) == "-5\n");
    BOOST_TEST(echo({"-.5x", "y"}) == "[\"-.5x\", \"y\"]\n");
    BOOST_TEST(echo({"a=\t\n\x01\"\\"}) == "{\"a\": \"\\t\\n\\u0001\\\"\\\\\"}\n");
    // The longest argument that the kernel passes on: 128 KiB with its NUL.
    const std::string longest((128 << 10) - 1, 'x');
    BOOST_TEST((echo({longest}) == "[\"" + longest + "\"]\n"));
    BOOST_TEST((echo({"a=" + longest.substr(2), longest}) ==
                "[\"a=" + longest.substr(2) + "\", \"" + longest + "\"]\n"));
    const std::string json = "{\"a\": \"" + longest.substr(9) + "\"}";
    BOOST_TEST((echo({json}) == json + "\n"));
    BOOST_TEST(box.run({"call", "l", "--raw", "say", ""}).out == "SAY \n");
    // Words that look like options are options; JSON can pass such texts.
    BOOST_TEST(echo({"[\"--json\"]"}) == "[\"--json\"]\n");
    const auto no_unit = box.run({"call", "", "echo"});
    BOOST_TEST(no_unit.status == 2, no_unit.text());
    const auto large_unit = box.run({"call", longest, longest});
    BOOST_TEST(large_unit.status == 1);
    BOOST_TEST(large_unit.signal == 0);
}

BOOST_AUTO_TEST_CASE(C03_arguments_that_are_not_utf8_are_refused_by_name_and_start_nothing) {
    sandbox box;
    box.config(rpc());
    const std::string bad = "a\xff\xfe";
    for (const std::vector<std::string>& words : {std::vector<std::string>{"call", bad, "echo"},
                                                  {"call", "w", bad},
                                                  {"call", "w", "echo", bad},
                                                  {"call", "w", "echo", "key=" + bad},
                                                  {"call", "w", "echo", bad + "=1"},
                                                  {"call", "w", "echo", "[\"" + bad + "\"]"},
                                                  {"call", "w", "echo", "\xc0\xaf"},
                                                  {"call", "w", "echo", "\xed\xa0\x80"}}) {
        const auto ran = box.run(words);
        BOOST_TEST_CONTEXT(ran.text()) {
            BOOST_TEST(ran.status == 2);
            BOOST_TEST(ran.err.starts_with("hob: cannot call '"));
            BOOST_TEST(ran.err.find("UTF-8") != std::string::npos);
        }
        auto with_json = words;
        with_json.insert(with_json.begin(), "--json");
        BOOST_TEST(hob::test::json_at(box.run(with_json).err, "/error/code").value_or("") == "usage");
    }
    hob::test::run_options input;
    input.input = "\"" + bad + "\"";
    BOOST_TEST(box.run({"call", "w", "echo", "-"}, input).status == 2);
    BOOST_TEST(!hob::test::exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(L29_wrong_params_are_found_before_a_daemon_is_started) {
    sandbox box;
    box.config(rpc());
    for (const char* words : {"{\"a\":", "a:=nope", "@missing", "\xff"}) {
        const auto ran = box.run({"call", "w", "echo", words});
        BOOST_TEST_CONTEXT(ran.text()) {
            BOOST_TEST(ran.status == 2);
            BOOST_TEST(ran.err.starts_with("hob: cannot call 'w': "));
        }
    }
    BOOST_TEST(box.run({"call", "w"}).status == 2);
    BOOST_TEST(box.run({"status"}).status == 3);
}

BOOST_AUTO_TEST_CASE(U11_a_death_and_an_error_are_distinguished) {
    sandbox box;
    box.config(rpc());
    const auto died = box.run({"call", "w", "die"});
    BOOST_TEST(died.status == 1);
    BOOST_TEST(died.err ==
               "hob: cannot call 'w': the worker exited with status 3\nhint: its last words: last words\n");
    const auto failed = box.run({"--json", "call", "w", "fail"});
    BOOST_TEST(failed.status == 1);
    BOOST_TEST(failed.err.find("\"code\":\"worker_error\"") != std::string::npos);
    BOOST_TEST(box.run({"call", "w", "echo", "1"}).out == "1\n");
}

BOOST_AUTO_TEST_CASE(U11_no_answer_is_exit_4_within_the_timeout) {
    sandbox box;
    box.config(rpc());
    box.run({"call", "w", "echo", "1"});
    const auto ran = box.run({"--timeout", "300ms", "call", "w", "never"});
    BOOST_TEST(ran.status == 4);
    BOOST_TEST(ran.elapsed < 5s);
}

BOOST_AUTO_TEST_CASE(W07_interrupting_a_call_cancels_its_request) {
    sandbox box;
    box.config(rpc());
    box.run({"call", "w", "echo", "1"});
    auto waiting = box.start({"call", "w", "never"});
    // The worker has read it once it has answered a later request.
    for (int i = 0; i < 200 && box.run({"call", "w", "id"}).out == std::to_string(i + 2) + "\n"; ++i) {
    }
    waiting.signal(SIGINT);
    waiting.wait();
    std::string seen;
    for (int i = 0; i < 200 && (seen = box.run({"call", "w", "cancelled"}).out) == "[]\n"; ++i) {
    }
    BOOST_TEST(seen != "[]\n");
}

BOOST_AUTO_TEST_SUITE_END()
