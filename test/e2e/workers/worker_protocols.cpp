// What must hold for every protocol: faults of the server, ids, cancellation, events.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;
namespace data = boost::unit_test::data;

namespace {

std::string events(const std::string& before, const std::string& after) {
    return R"({"before":[)" + before + R"(],"after":[)" + after + "]}";
}

void ask(raw_client& client, const std::string& id, const std::string& method, const std::string& params,
         const std::string& more = {}) {
    client.request(id, "worker.call",
                   R"({"unit":"w","method":")" + method + R"(","params":)" + params + more + "}");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_protocols)

BOOST_DATA_TEST_CASE(results_pass_byte_for_byte, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    BOOST_TEST(call_worker(box, {"t/verbatim"}) ==
               "{\"f\":1.50,\"big\":123456789012345678901234567890, \"u\":\"\\u00e9\"}\n");
    BOOST_TEST(call_worker(box, {"t/echo", "a=x", "b:=2"}) == R"({"a": "x", "b": 2})"
                                                              "\n");
}

BOOST_DATA_TEST_CASE(the_handshake_is_done_once_and_its_result_is_stored, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol, "legacy", "initialize = { marker = \"m1\" }"));
    for (int round = 0; round < 2; ++round) {
        const std::string capabilities = call_worker(box, {"--capabilities"});
        BOOST_TEST(json_at(capabilities, "/given/marker").value_or("none") == "m1", capabilities);
    }
    BOOST_TEST(count(call_worker(box, {"t/seen"}), "\"initialize\"") == 1u);
}

BOOST_DATA_TEST_CASE(U11_a_death_in_a_call_is_reported_and_the_next_call_starts_a_new_process,
                     data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    const std::string first = call_worker(box, {"t/pid"});
    const auto died = box.run({"call", "w", "t/die"});
    BOOST_TEST(died.status == 1);
    BOOST_TEST(died.err ==
               "hob: cannot call 'w': the worker exited with status 3\nhint: its last words: last words\n");
    BOOST_TEST(call_worker(box, {"t/pid"}) != first);
}

BOOST_DATA_TEST_CASE(U11_garbage_on_its_output_hides_no_answer, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    BOOST_TEST(call_worker(box, {"t/garbage"}) == "\"after garbage\"\n");
    BOOST_TEST(call_worker(box, {"t/echo", "5"}) == "5\n");
    BOOST_TEST(count(box.run({"logs", "w"}).out, "this is no message") == 1u);
}

BOOST_DATA_TEST_CASE(U11_a_worker_that_never_answers_is_a_timeout_and_gets_a_cancellation,
                     data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol, protocol == "dap" ? "cancels" : "legacy"));
    call_worker(box, {"t/pid"});
    const auto late = box.run({"call", "w", "--timeout", "200ms", "t/never"});
    BOOST_TEST(late.status == 4, late.text());
    BOOST_TEST(count(call_worker(box, {"t/cancelled"}), ",") == 0u);
    BOOST_TEST(call_worker(box, {"t/cancelled"}) != "[]\n");
}

BOOST_DATA_TEST_CASE(U11_W10_duplicate_and_unknown_answers_are_dropped, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    BOOST_TEST(call_worker(box, {"t/twice"}) == "\"one\"\n");
    BOOST_TEST(call_worker(box, {"t/unknown_id"}) == "\"right\"\n");
    BOOST_TEST(call_worker(box, {"t/echo", "6"}) == "6\n");
    raw_client client(box.socket());
    ask(client, "1", "t/hold", "null", R"(,"timeout_ms":100)");
    BOOST_TEST(json_at(client.reply(), "/error/data/code").value_or("") == "timeout");
    // The late answer comes just before the next one.
    ask(client, "1", "t/release", "null");
    BOOST_TEST(json_at(client.reply(), "/result").value_or("") == "released");
}

BOOST_DATA_TEST_CASE(U11_a_worker_that_ignores_the_end_of_its_input_is_ended, data::make(protocols),
                     protocol) {
    sandbox box;
    // It answers the goodbye but does not end, nor at the end of its input, nor on SIGTERM.
    box.config(protocol_worker(protocol, "ignore-eof", "stop = { timeout = \"500ms\" }"));
    const pid_t pid = static_cast<pid_t>(std::stol(call_worker(box, {"t/pid"})));
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(!process_lives(pid));
    const std::string log = box.run({"logs", "-v", "w"}).out;
    BOOST_TEST(count(log, "its input has ended, and it stays") == 1u, log);
    BOOST_TEST(count(log, "killed by signal 9") == 1u);
}

BOOST_DATA_TEST_CASE(U11_a_worker_that_floods_stderr_is_drained, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    BOOST_TEST(call_worker(box, {"t/flood", "lines:=2000"}) == "\"flooded\"\n");
}

BOOST_DATA_TEST_CASE(U12_W10_clients_with_equal_ids_get_their_own_replies, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    call_worker(box, {"t/pid"});
    raw_client first(box.socket());
    raw_client other(box.socket());
    for (int round = 0; round < scaled(100); ++round) {
        ask(first, "1", "t/echo", std::to_string(2 * round));
        ask(other, "1", "t/echo", std::to_string(2 * round + 1));
        BOOST_REQUIRE(json_at(first.reply(), "/result").value_or("") == std::to_string(2 * round));
        BOOST_REQUIRE(json_at(other.reply(), "/result").value_or("") == std::to_string(2 * round + 1));
    }
}

BOOST_DATA_TEST_CASE(U13_an_event_before_its_reply_ends_the_wait, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    const std::string output =
        call_worker(box, {"--until", "stopped", "t/events", events(R"(["stopped",{"n":1.50}])", "")});
    BOOST_TEST(json_at(output, "/result").value_or("") == "replied", output);
    BOOST_TEST(json_at(output, "/until/event").value_or("") == "stopped");
    BOOST_TEST(output.find("\"params\":{\"n\": 1.5}") != std::string::npos, output);
}

BOOST_DATA_TEST_CASE(U13_a_stale_event_never_ends_a_new_wait, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    for (int round = 0; round < scaled(20); ++round) {
        // In one write with the reply, so that it may still be in the pipe when the next request is sent.
        call_worker(box, {"t/burst", R"(["stopped",{"n":"stale"}])"});
        const std::string output = call_worker(box, {"--until", "stopped", "--collect", "stopped", "t/events",
                                                     events("", R"(["stopped",{"n":"fresh"}])")});
        BOOST_REQUIRE_MESSAGE(json_at(output, "/until/params/n").value_or("") == "fresh", output);
        BOOST_REQUIRE_MESSAGE(json_at(output, "/events/0/params/n").value_or("") == "stale", output);
        BOOST_REQUIRE(!json_at(output, "/events/1"));
    }
}

BOOST_DATA_TEST_CASE(until_may_name_a_field_of_the_event, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    const std::string output = call_worker(
        box, {"--until", "stopped:why.kind=step,ended", "t/events",
              events(R"(["stopped",{"why":{"kind":"entry"}}],["stopped",{"why":{"kind":"step"}}])", "")});
    BOOST_TEST(json_at(output, "/until/params/why/kind").value_or("") == "step", output);
}

BOOST_DATA_TEST_CASE(unseen_events_come_once_with_the_next_wait, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    call_worker(box, {"t/events", events(R"(["output",{"n":1}],["other",{}])", R"(["output",{"n":2}])")});
    const std::vector<std::string> wait = {
        "--until", "end", "--collect", "output", "t/events", events("", R"(["output",{"n":3}],["end",{}])")};
    const std::string output = call_worker(box, wait);
    BOOST_TEST(count(output, "\"event\":\"output\"") == 3u, output);
    BOOST_TEST(json_at(output, "/lost").value_or("") == "0");
    BOOST_TEST(count(call_worker(box, wait), "\"event\":\"output\"") == 1u);
}

BOOST_DATA_TEST_CASE(lost_events_are_counted, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    call_worker(box, {"t/flood_events", "count:=3000"});
    const std::string output =
        call_worker(box, {"--until", "end", "--collect", "noise", "t/events", events("", R"(["end",{}])")});
    const int lost = std::atoi(json_at(output, "/lost").value_or("").c_str());
    BOOST_TEST(lost > 1000);
    BOOST_TEST(static_cast<int>(count(output, "\"event\":\"noise\"")) + lost == 3000);
}

BOOST_DATA_TEST_CASE(events_are_streamed_before_the_answer, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    const std::string output =
        call_worker(box, {"--events", "--until", "end", "--collect", "output", "t/events",
                          events(R"(["output",{"n":1}])", R"(["output",{"n":2}],["end",{}])")});
    BOOST_TEST(count(output, "\n") == 4u, output);
    BOOST_TEST(output.find("\"event\":\"output\"") < output.find("\"event\":\"end\""));
    BOOST_TEST(output.find("\"event\":\"end\"") < output.find("\"result\":\"replied\""));
}

BOOST_DATA_TEST_CASE(W07_an_interrupted_wait_releases_its_mutex, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol, "legacy", "serial = [\"t/events\"]"));
    call_worker(box, {"t/pid"});
    auto waiting = box.start({"call", "w", "--until", "never", "t/events", "{}"});
    // It holds the mutex once its own reply has come.
    raw_client client(box.socket());
    BOOST_REQUIRE(wait_until([&] {
        ask(client, "1", "t/events", "{}", R"(,"timeout_ms":100)");
        return json_at(client.reply(), "/error/data/code").value_or("") == "timeout";
    }));
    waiting.signal(SIGINT);
    waiting.wait();
    BOOST_TEST(call_worker(box, {"t/events", "{}"}) == "\"replied\"\n");
}

BOOST_DATA_TEST_CASE(a_wait_ends_with_the_worker, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    const pid_t pid = static_cast<pid_t>(std::stol(call_worker(box, {"t/pid"})));
    auto waiting = box.start({"call", "w", "--events", "--until", "never", "--collect", "mark", "t/events",
                              events("", R"(["mark",{}])")});
    BOOST_REQUIRE(waiting.read_line(20s));
    ::kill(pid, SIGKILL);
    const auto ended = waiting.wait();
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(count(ended.err, "the worker was killed by signal 9 (KILL)") == 1u, ended.err);
}

BOOST_DATA_TEST_CASE(requests_of_the_worker_are_answered_as_configured_or_refused, data::make(protocols),
                     protocol) {
    sandbox box;
    box.config(protocol_worker(protocol, "legacy", "answers = { \"my/question\" = { yes = true } }"));
    const std::string given = call_worker(box, {"t/ask", "method=my/question"});
    BOOST_TEST(json_at(given, protocol == "dap" ? "/body/yes" : "/result/yes").value_or("") == "true", given);
    const std::string refused = call_worker(box, {"t/ask", "method=another/question"});
    if (protocol == "dap") {
        BOOST_TEST(json_at(refused, "/success").value_or("") == "false", refused);
    } else {
        BOOST_TEST(json_at(refused, "/error/code").value_or("") == "-32601", refused);
    }
}

BOOST_DATA_TEST_CASE(U11_W07_an_interrupted_call_is_cancelled_by_the_protocols_message, data::make(protocols),
                     protocol) {
    sandbox box;
    box.config(protocol_worker(protocol, protocol == "dap" ? "cancels" : "legacy"));
    call_worker(box, {"t/pid"});
    for (const int how : {SIGINT, SIGTERM, SIGKILL}) {
        auto waiting = box.start({"call", "w", "t/hold"});
        BOOST_REQUIRE(wait_until([&] { return call_worker(box, {"t/held"}) == "true\n"; }));
        waiting.signal(how);
        waiting.wait();
        BOOST_TEST(wait_until([&] { return call_worker(box, {"t/cancelled_hold"}) == "true\n"; }));
    }
    BOOST_TEST(count(call_worker(box, {"t/cancelled"}), ",") == 2u);
}

BOOST_DATA_TEST_CASE(waiting_until_it_is_idle_ends_with_its_last_call, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    call_worker(box, {"t/pid"});
    auto first = box.start({"call", "w", "t/hold"});
    BOOST_REQUIRE(wait_until([&] { return call_worker(box, {"t/held"}) == "true\n"; }));
    auto idle = box.start({"wait", "w", "--for", "idle"});
    // Its request is read once a later request to the same daemon is.
    BOOST_TEST(box.run({"wait", "w", "--for", "idle", "--timeout", "200ms"}).status == 4);
    BOOST_TEST(idle.running());
    call_worker(box, {"t/release"});
    first.wait();
    BOOST_TEST(idle.wait().status == 0);
}

BOOST_DATA_TEST_CASE(a_notification_is_sent_and_not_waited_for, data::make(protocols), protocol) {
    sandbox box;
    box.config(protocol_worker(protocol));
    BOOST_TEST(call_worker(box, {"--notify", "t/note", "{}"}) == "null\n");
    BOOST_TEST(count(call_worker(box, {"t/seen"}), "t/note") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
