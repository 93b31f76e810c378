// --timeout and other limits of time.

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

const std::string huge = "36500d";  // the longest valid duration

bool nothing_was_started(const sandbox& box) { return !exists(box.pid_file()) && box.processes().empty(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_timeout)

BOOST_AUTO_TEST_CASE(W11_L29_an_invalid_duration_is_a_usage_error_and_starts_nothing) {
    sandbox box;
    box.config(rpc_worker());
    for (const std::string bad : {"5", "-5s", "-1", "", " ", "5 s", "5x", "s", "1.0001ms", "1e3s", "0x5s",
                                  "+5s", "99999999999999999999s", "36501d", "inf", "5s5s"}) {
        for (const std::vector<std::string>& words : {std::vector<std::string>{"--timeout=" + bad, "ping"},
                                                      {"--timeout", bad, "call", "w", "echo", "1"},
                                                      {"call", "w", "echo", "1", "--timeout", bad}}) {
            const auto done = box.run(words);
            BOOST_TEST_CONTEXT("'" << bad << "' before " << words.back() << ": " << done.text()) {
                BOOST_TEST(done.status == 2);
                BOOST_TEST(done.err.starts_with("hob: cannot "));
            }
        }
    }
    BOOST_TEST(box.run({"ping", "--timeout"}).status == 2);
    BOOST_TEST(nothing_was_started(box));
}

BOOST_AUTO_TEST_CASE(W11_a_zero_timeout_exits_4_with_and_without_a_daemon) {
    sandbox box;
    box.config(rpc_worker());
    const std::vector<std::vector<std::string>> commands = {
        {"ping"}, {"call", "w", "echo", "1"}, {"start", "w"}, {"restart", "w"}, {"events"}};
    for (const bool running : {false, true}) {
        if (running) BOOST_REQUIRE(box.run({"call", "w", "echo", "1"}).status == 0);
        for (const std::string none : {"0", "0s", "0ms"}) {
            for (auto words : commands) {
                words.insert(words.begin(), {"--json", "--timeout", none});
                const auto done = box.run(words);
                BOOST_TEST_CONTEXT(words[3] << (running ? ", running: " : ", cold: ") << done.text()) {
                    BOOST_TEST(done.status == 4);
                    BOOST_TEST(json_at(done.err, "/error/code").value_or("") == "timeout");
                    BOOST_TEST(done.out == "");
                    BOOST_TEST(done.elapsed < 3s);
                }
            }
        }
    }
    const auto after = box.run({"call", "w", "echo", "2"});
    BOOST_TEST(after.out == "2\n", after.text());
}

BOOST_AUTO_TEST_CASE(W11_a_huge_timeout_is_endless) {
    sandbox box;
    box.config(rpc_worker());
    for (const std::vector<std::string>& words : {std::vector<std::string>{"ping"},
                                                  {"call", "w", "echo", "1"},
                                                  {"restart", "w"},
                                                  {"status"},
                                                  {"stop", "w"},
                                                  {"start", "w"},
                                                  {"logs"},
                                                  {"list"},
                                                  {"doctor"},
                                                  {"shutdown"}}) {
        auto all = words;
        all.insert(all.begin(), {"--timeout", huge});
        const auto done = box.run(all);
        BOOST_TEST(done.status == 0, words[0] << ": " << done.text());
    }
}

BOOST_AUTO_TEST_CASE(W11_the_timeout_covers_the_whole_of_a_call) {
    sandbox box;
    box.config(rpc_worker());
    BOOST_REQUIRE(box.run({"call", "w", "echo", "1"}).status == 0);
    for (const std::string limit : {"1ms", "0.2s", "200ms"}) {
        const auto done = box.run({"--timeout", limit, "--json", "call", "w", "never"});
        BOOST_TEST(done.status == 4, limit << ": " << done.text());
        BOOST_TEST(json_at(done.err, "/error/code").value_or("") == "timeout", done.text());
        BOOST_TEST(done.elapsed < 3s);
    }
    BOOST_TEST(box.run({"call", "w", "echo", "2"}).out == "2\n");
}

BOOST_AUTO_TEST_CASE(W11_section_6_7_timeout_ms_of_every_size) {
    sandbox box;
    box.config(rpc_worker());
    BOOST_REQUIRE(box.run({"call", "w", "echo", "1"}).status == 0);
    raw_client client(box.socket());
    const auto asked = [&](const std::string& method, const std::string& limit) {
        client.request("1", "worker.call",
                       R"({"unit":"w","method":")" + method + R"(","timeout_ms":)" + limit + "}");
        return client.reply();
    };
    for (const std::string wrong :
         {"-1", "-9223372036854775808", "9223372036854775808", "1.5", "\"5s\"", "null", "[]"}) {
        BOOST_TEST(json_at(asked("pid", wrong), "/error/code").value_or("") == "-32602", wrong);
    }
    BOOST_TEST(json_at(asked("never", "0"), "/error/code").value_or("") == "-32011");
    for (const std::string large : {"3153600000000", "9223372036854", "9223372036854775807"}) {
        BOOST_TEST(json_at(asked("pid", large), "/result").has_value(), large);
    }
    // Without a unit the limit has no effect.
    client.request("2", "worker.call", R"({"method":"pid","timeout_ms":5})");
    BOOST_TEST(json_at(client.reply(), "/error/code").value_or("") == "-32602");
}

BOOST_AUTO_TEST_CASE(W11_section_6_7_an_endless_timeout_also_waits_for_a_worker_that_is_stopping) {
    sandbox box;
    box.config(rpc_worker("w", "stop = { timeout = \"400ms\" }", "ignore-term"));
    BOOST_REQUIRE(box.run({"call", "w", "echo", "1"}).status == 0);
    raw_client client(box.socket());
    client.request("1", "unit.restart", R"({"units":["w"]})");
    client.request("2", "worker.call", R"({"unit":"w","method":"pid","timeout_ms":9223372036854775807})");
    for (int i = 0; i < 2; ++i) {
        const std::string reply = client.reply();
        BOOST_TEST(json_at(reply, "/result").has_value(), reply);
    }
}

BOOST_AUTO_TEST_CASE(W11_call_without_unit_or_method_is_a_usage_error_whatever_its_time) {
    sandbox box;
    box.config(rpc_worker());
    for (const std::string limit : {"0", "1s", huge.c_str()}) {
        BOOST_TEST(box.run({"--timeout", limit, "call"}).status == 2);
        BOOST_TEST(box.run({"call", "w", "--timeout", limit}).status == 2);
    }
    BOOST_TEST(nothing_was_started(box));
}

BOOST_AUTO_TEST_SUITE_END()
