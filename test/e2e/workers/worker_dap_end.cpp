// DAP: a session that has ended ends every wait, and what belongs to a session stays with it.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/dap_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

const std::string exits = R"({"before":[["exited",{"exitCode":3}],["terminated",{}]]})";

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_dap_end)

BOOST_AUTO_TEST_CASE(P05_the_end_of_a_session_ends_the_wait_for_a_stop) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    const auto ended =
        dap.box.run({"call", "w", "t/events", exits, "--until", "stopped", "--timeout", "60s"});
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err ==
               "hob: cannot call 'w': the debug session has ended: the program has exited with status 3\n"
               "hint: launch or attach begins another one\n");
    BOOST_TEST(ended.elapsed < 30s);
    BOOST_TEST(dap.detail() == "exited with status 3");
}

BOOST_AUTO_TEST_CASE(P05_a_wait_that_begins_after_the_end_fails_at_once) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    dap.call({"t/events", exits});
    const auto ended = dap.box.run({"call", "w", "t/pid", "--until", "stopped", "--timeout", "60s"});
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err.find("the debug session has ended") != std::string::npos, ended.err);
    BOOST_TEST(ended.elapsed < 30s);
}

BOOST_AUTO_TEST_CASE(P05_a_step_after_the_end_changes_nothing) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    dap.call({"t/events", exits});
    const auto ended = dap.box.run({"call", "w", "next", "--until", "stopped", "--timeout", "60s"});
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err.find(": the program has exited with status 3\n") != std::string::npos, ended.err);
    BOOST_TEST(dap.detail() == "exited with status 3");
}

BOOST_AUTO_TEST_CASE(P05_the_end_itself_can_be_waited_for) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    const std::string ended =
        dap.call({"t/events", exits, "--until", "terminated", "--collect", "exited", "--timeout", "60s"});
    BOOST_TEST(json_at(ended, "/until/event").value_or("") == "terminated", ended);
    BOOST_TEST(json_at(ended, "/events/0/params/exitCode").value_or("") == "3", ended);
}

BOOST_AUTO_TEST_CASE(P05_a_refused_launch_is_not_running_whatever_was_reported_meanwhile) {
    dap_worker dap("refuses-launch");
    dap.call({"t/pid"});
    const auto refused =
        dap.box.run({"call", "w", "launch", "program=p", "--until", "stopped", "--timeout", "60s"});
    BOOST_TEST(refused.status == 1);
    BOOST_TEST(refused.elapsed < 30s);
    BOOST_TEST(dap.detail() == "null");
}

BOOST_AUTO_TEST_CASE(P06_conditions_beside_a_line_are_of_its_breakpoint) {
    dap_worker dap;
    dap.call(
        {"setBreakpoints", "file=/a", "line=3", "condition=x > 1", "hitCondition=2", "logMessage=x is {x}"});
    BOOST_TEST(dap.given().find(R"("breakpoints": [{"line": 3, "condition": "x > 1", "hitCondition": "2", )"
                                R"("logMessage": "x is {x}"}])") != std::string::npos,
               dap.call({"t/given"}));
}

BOOST_AUTO_TEST_CASE(P06_breakpoints_beside_a_file_are_kept) {
    dap_worker dap;
    dap.call({"setBreakpoints", "file=/a", R"(breakpoints:=[{"line":5,"condition":"y"}])"});
    const std::string given = dap.given();
    BOOST_TEST(given.find(R"("breakpoints": [{"line": 5, "condition": "y"}])") != std::string::npos, given);
    BOOST_TEST(given.find(R"("path": "/a")") != std::string::npos, given);
}

BOOST_AUTO_TEST_CASE(P07_output_of_an_earlier_session_is_not_collected) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    dap.call({"t/events", R"({"before":[["output",{"output":"old"}],["terminated",{}]]})"});
    const std::string second = dap.call({"launch", "program=p", "--collect", "output"});
    BOOST_TEST(json_at(second, "/events/0").value_or("") == "", second);
}

BOOST_AUTO_TEST_CASE(P07_a_launch_that_fails_says_what_the_adapter_said) {
    dap_worker dap("builds");
    const auto failed = dap.box.run({"call", "w", "launch", "program=p"});
    BOOST_TEST(failed.status == 1);
    BOOST_TEST(failed.err.find("the build failed") != std::string::npos, failed.err);
    BOOST_TEST(failed.err.find("hint: it said: main.go:3: undefined: x\n") != std::string::npos, failed.err);
    raw_client client(dap.box.socket());
    client.request("1", "worker.call",
                   R"({"unit":"w","method":"launch","params":{"program":"p"},"collect":["output"]})");
    BOOST_TEST(json_at(client.reply(), "/error/data/detail/events/0/params/output").value_or("") ==
               "main.go:3: undefined: x\n");
}

BOOST_AUTO_TEST_CASE(P08_what_the_adapter_cannot_do_is_not_sent_to_it) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    const auto refused = dap.box.run({"call", "w", "restart"});
    BOOST_TEST(refused.status == 1);
    BOOST_TEST(refused.err.find("its adapter cannot restart a program") != std::string::npos, refused.err);
    BOOST_TEST(refused.err.find("hint: `hob restart w`") != std::string::npos, refused.err);
    BOOST_TEST(dap.call({"t/seen"}).find("\"restart\"") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(P08_a_launch_after_the_end_gets_a_new_adapter) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    const std::string first = dap.call({"t/pid"});
    dap.call({"t/events", exits});
    BOOST_TEST(dap.call({"t/pid"}) == first);
    BOOST_TEST(dap.call({"launch", "program=p"}) == "{}\n");
    BOOST_TEST(dap.call({"t/pid"}) != first);
}

BOOST_AUTO_TEST_CASE(P14_a_call_without_the_thread_or_the_scope_gets_those_of_the_stop) {
    dap_worker dap;
    dap.call({"launch", "program=p"});
    dap.call({"t/answers", R"({"exceptionInfo":{},"stackTrace":{"stackFrames":[{"id":7}]},)"
                           R"("scopes":{"scopes":[{"variablesReference":9,"presentationHint":"locals"}]}})"});
    dap.call({"t/events", R"({"before":[["stopped",{"reason":"step","threadId":4}]]})"});
    dap.call({"exceptionInfo"});
    dap.box.run({"call", "w", "setVariable", "name=x", "value=1"});
    const std::string sent = dap.call({"t/sent"});
    BOOST_TEST(sent.find(R"(["exceptionInfo", {"threadId": 4}])") != std::string::npos, sent);
    BOOST_TEST(sent.find(R"(["setVariable", {"name": "x", "value": "1", "variablesReference": 9}])") !=
                   std::string::npos,
               sent);
}

BOOST_AUTO_TEST_CASE(P14_a_call_without_params_sends_an_object) {
    dap_worker dap;
    dap.call({"t/pid"});
    dap.box.run({"call", "w", "threads"});
    BOOST_TEST(dap.call({"t/sent"}).find(R"(["threads", {}])") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
