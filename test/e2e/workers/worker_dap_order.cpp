// DAP with an adapter that sends messages early, late, twice or never, and that refuses requests.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/dap_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

void launch_fails_at_once(const std::string& mode, const std::string& reason) {
    dap_worker dap(mode);
    dap.call({"t/pid"});
    const auto failed = dap.box.run({"call", "w", "--timeout", "60s", "launch", "program=p"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find(reason) != std::string::npos, failed.err);
    BOOST_TEST(failed.elapsed < 25s);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_dap_order)

BOOST_AUTO_TEST_CASE(an_adapter_may_want_its_configuration_before_the_launch) {
    dap_worker dap("early");
    dap.call({"setBreakpoints", in_a});
    BOOST_TEST(dap.call({"t/given"}) == "[]\n");
    for (int round = 0; round < 2; ++round) {
        BOOST_TEST(dap.call({"--timeout", "60s", "launch", "program=p"}) == "{}\n");
        BOOST_TEST(dap.call({"t/seen"}).find(R"("launch", "setBreakpoints", "configurationDone")") !=
                   std::string::npos);
        dap.call({"t/events", R"({"before":[["terminated",{}]]})"});
    }
}

BOOST_AUTO_TEST_CASE(a_configuration_that_is_refused_ends_the_launch_at_once) {
    launch_fails_at_once("refuses-done", "no configuration today");
}

BOOST_AUTO_TEST_CASE(the_end_of_an_adapter_before_its_configuration_is_reported_at_once) {
    launch_fails_at_once("leaves", "the worker exited with status 3");
}

BOOST_AUTO_TEST_CASE(a_refused_launch_does_not_count_as_running) {
    dap_worker dap("refuses-launch");
    dap.call({"t/pid"});
    BOOST_TEST(dap.box.run({"call", "w", "launch", "program=p"}).status == 1);
    BOOST_TEST(dap.detail() == "null");
    // There is no session that breakpoints could be set in.
    dap.call({"setBreakpoints", in_a});
    BOOST_TEST(dap.call({"t/given"}) == "[]\n");
    dap.call({"t/events", R"({"before":[["stopped",{"reason":"step","threadId":1}]]})"});
    BOOST_TEST(dap.box.run({"call", "w", "stepIn"}).status == 1);
    BOOST_TEST(dap.detail() == "paused: step");
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_given_is_not_fetched) {
    dap_worker dap;
    dap.call({"t/events", R"({"before":[["stopped",{"reason":"step","threadId":1}]]})"});
    dap.call({"t/answers", R"({"scopes":{"scopes":[]}})"});
    dap.call({"scopes", "frameId:=7"});
    BOOST_TEST(dap.call({"t/seen"}).find("stackTrace") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(threads_of_an_earlier_session_are_forgotten) {
    dap_worker dap;
    dap.call({"t/answers", R"({"stackTrace":{"stackFrames":[{"id":5}]},"evaluate":{"result":"1"}})"});
    const std::string stopped = R"(["stopped",{"reason":"step","threadId":1}])";
    dap.call({"t/events", R"({"before":[)" + stopped + "]}"});
    dap.call({"evaluate", "expression=1"});
    BOOST_TEST(count(dap.call({"t/seen"}), "stackTrace") == 1u);
    for (const char* later : {R"(["terminated",{}])", R"(["continued",{}])"}) {
        dap.call({"t/events", R"({"before":[)" + stopped + "," + later + "]}"});
        dap.call({"evaluate", "expression=1"});
        BOOST_TEST(count(dap.call({"t/seen"}), "stackTrace") == 1u, later);
    }
}

BOOST_AUTO_TEST_CASE(a_stop_with_few_members_is_reported) {
    dap_worker dap;
    const auto stop = [&](const std::string& params) {
        return dap.call(
            {"--until", "stopped", "--locals", "t/events", R"({"after":[["stopped",)" + params + "]]}"});
    };
    const auto answers = [&](const std::string& all) { dap.call({"t/answers", all}); };
    const std::string nowhere = stop(R"({"reason":"pause","threadId":null})");
    BOOST_TEST(!json_at(nowhere, "/frame"), nowhere);
    answers(R"({"stackTrace":{"stackFrames":[{"name":"f"}]}})");
    const std::string nameless = stop(R"({"reason":"step","threadId":3})");
    BOOST_TEST(json_at(nameless, "/frame/name").value_or("") == "f", nameless);
    BOOST_TEST(!json_at(nameless, "/locals"), nameless);
    answers(R"({"stackTrace":{"stackFrames":[{"id":4}]},"scopes":{"scopes":["none"]}})");
    const std::string scopeless = stop(R"({"reason":"step","threadId":3})");
    BOOST_TEST(json_at(scopeless, "/frame/id").value_or("") == "4", scopeless);
    BOOST_TEST(!json_at(scopeless, "/locals"), scopeless);
    answers(R"({"scopes":{"scopes":[{"variablesReference":9}]},"variables":{}})");
    const std::string valueless = stop(R"({"reason":"step","threadId":3})");
    BOOST_TEST(json_at(valueless, "/frame/id").value_or("") == "4", valueless);
    BOOST_TEST(!json_at(valueless, "/locals"), valueless);
    answers(R"({"variables":{"variables":[{"name":"n"}]}})");
    BOOST_TEST(json_at(stop(R"({"reason":"step"})"), "/locals/0/name").value_or("") == "n");
    dap.call({"t/events", R"({"before":[["exited",{"exitCode":{"no":"number"}}]]})"});
    BOOST_TEST(dap.detail() == "exited");
}

BOOST_AUTO_TEST_CASE(breakpoints_that_are_set_during_a_restore_are_set_after_it) {
    dap_worker dap("holds");
    dap.call({"setBreakpoints", in_a});
    dap.call({"setBreakpoints", R"({"source":{"path":"/b"},"breakpoints":[{"line":2}]})"});
    auto launching = dap.box.start({"call", "w", "launch", "program=p"});
    BOOST_REQUIRE(wait_until([&] { return dap.call({"t/held", "what=set"}) == "true\n"; }));
    raw_client client(dap.box.socket());
    client.request("1", "worker.call",
                   R"({"unit":"w","method":"setBreakpoints","params":)"
                   R"({"source":{"path":"/b"},"breakpoints":[{"line":3}]}})");
    client.request("2", "ping", "{}");  // the first has started when this is answered
    client.reply();
    dap.call({"t/release_set"});
    client.reply();
    BOOST_TEST(launching.wait().status == 0);
    const std::string given = dap.call({"t/given"});
    BOOST_TEST(count(given, "setBreakpoints") == 3u, given);
    BOOST_TEST(given.find("\"line\": 2") < given.find("\"line\": 3"), given);
}

BOOST_AUTO_TEST_CASE(a_refused_launch_leaves_an_attached_program_alone) {
    dap_worker dap("refuses-launch");
    dap.call({"t/answers", R"({"attach":{}})"});
    dap.call({"t/events", R"({"before":[["initialized",{}]]})"});
    dap.call({"attach", "pid:=1"});
    BOOST_TEST(dap.box.run({"call", "w", "launch", "program=p"}).status == 1);
    BOOST_TEST(dap.detail() == "running");
    dap.call({"setBreakpoints", in_a});
    BOOST_TEST(count(dap.call({"t/given"}), "setBreakpoints") == 1u);
    BOOST_TEST(dap.box.run({"stop", "w"}).status == 0);
    BOOST_TEST(dap.box.run({"logs", "w"}).out.find("it ends the program: false") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(characters_that_a_program_writes_in_pieces_are_whole_in_its_output) {
    dap_worker dap;
    dap.box.write("pieces.py",
                  "import array, fcntl, os, termios\n"
                  "for byte in b'\\xf0\\x9f\\x98\\x80 \\xc3\\xa9\\xff.':\n"
                  "    os.write(1, bytes([byte]))\n"
                  "    left = array.array('i', [1])\n"
                  "    while left[0]:\n"
                  "        fcntl.ioctl(1, termios.FIONREAD, left)\n");
    const std::string output =
        dap.call({"--until", "output:output=.", "--collect", "output", "t/ask",
                  R"({"method":"runInTerminal","params":{"args":["python3","pieces.py"]}})"});
    std::string all;
    for (int i = 0; const auto part = json_at(output, "/events/" + std::to_string(i) + "/params/output"); ++i)
        all += *part;
    BOOST_TEST(all == "\xF0\x9F\x98\x80 \xC3\xA9\xEF\xBF\xBD", output);
}

BOOST_AUTO_TEST_CASE(malformed_capabilities_change_nothing) {
    dap_worker dap;
    dap.call({"t/events", R"({"before":[["capabilities",{"capabilities":3}]]})"});
    dap.call({"launch", "program=p"});
    BOOST_TEST(count(dap.call({"t/seen"}), "configurationDone") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
