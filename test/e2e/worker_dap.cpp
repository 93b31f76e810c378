// DAP with a real adapter, lldb-vscode, on a C++ program.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct with_debugger {
    sandbox box;
    bool there = require_program("lldb-vscode-14") && require_program("c++");
    with_debugger() {
        box.config("[worker.dbg]\nrun = [\"lldb-vscode-14\"]\nprotocol = \"dap\"\n");
        if (!there) return;
        const auto built =
            box.shell("cp " HOB_SOURCE_DIR "/test/fixtures/debuggee.cpp . && c++ -g -O0 -o d debuggee.cpp");
        BOOST_REQUIRE_MESSAGE(built.status == 0, built.text());
    }
    outcome run(std::vector<std::string> words) {
        words.insert(words.begin(), {"call", "dbg", "--timeout", "60s"});
        run_options options;
        options.limit = 90s;
        return box.run(words, options);
    }
    std::string call(std::vector<std::string> words) {
        const auto said = run(std::move(words));
        BOOST_TEST(said.status == 0, said.text());
        return said.out;
    }
    std::string launch(const std::vector<std::string>& more = {}) {
        std::vector<std::string> words = {
            "--until", "stopped,exited,terminated", "--collect", "output", "--locals", "launch", "program=d"};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    }
    std::string go(const std::string& method) {
        return call({"--until", "stopped,exited,terminated", "--collect", "output", "--locals", method});
    }
    std::string detail() {
        return json_at(box.run({"status", "--json"}).out, "/units/0/detail").value_or("none");
    }
};

std::string event_of(const std::string& said) { return json_at(said, "/until/event").value_or("none"); }

std::string local(const std::string& said, const std::string& name) {
    for (int i = 0; i < 10; ++i) {
        const std::string at = "/locals/" + std::to_string(i);
        if (json_at(said, at + "/name") == name) return json_at(said, at + "/value").value_or("");
    }
    return "none";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_dap, with_debugger)

BOOST_AUTO_TEST_CASE(U13_two_hundred_stops_are_all_seen_and_the_end_is_told) {
    if (!there) return;
    const std::string promised = call({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    BOOST_TEST(json_at(promised, "/breakpoints/0/verified").value_or("") == "false", promised);
    std::string said = launch();
    for (int i = 0; i < 200; ++i) {
        BOOST_REQUIRE_MESSAGE(event_of(said) == "stopped", i << ": " << said);
        BOOST_REQUIRE_MESSAGE(json_at(said, "/frame/line").value_or("") == "7", i << ": " << said);
        BOOST_REQUIRE_MESSAGE(local(said, "n") == std::to_string(i), i << ": " << said);
        said = go("continue");
    }
    BOOST_TEST(event_of(said) == "exited", said);
    BOOST_TEST(json_at(said, "/until/params/exitCode").value_or("") == "7");
    BOOST_TEST(said.find("sum 39800") != std::string::npos, said);
    BOOST_TEST(detail() == "exited with status 7");
}

BOOST_AUTO_TEST_CASE(it_steps_evaluates_and_refuses_handles_of_an_older_stop) {
    if (!there) return;
    call({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    const std::string first = launch();
    const std::string generation = json_at(first, "/generation").value_or("");
    BOOST_TEST(detail() == "paused: breakpoint");
    BOOST_TEST(run({"--generation", generation, "evaluate", "expression=n+40", "context=repl"}).status == 0);
    BOOST_TEST(json_at(call({"evaluate", "expression=n+40", "context=repl"}), "/result").value_or("") ==
               "40");
    const std::string next = go("next");
    BOOST_TEST(json_at(next, "/frame/line").value_or("") == "8", next);
    BOOST_TEST(json_at(next, "/until/params/reason").value_or("") == "step");
    const std::string out = go("stepOut");
    BOOST_TEST(json_at(out, "/frame/name").value_or("").starts_with("main"), out);
    const auto stale = run({"--generation", generation, "evaluate", "expression=n", "context=repl"});
    BOOST_TEST(stale.status == 1);
    BOOST_TEST(stale.err.find("its handles are of generation") != std::string::npos, stale.err);
    const auto wrong = run({"evaluate", "expression=no_such_thing", "context=repl"});
    BOOST_TEST(wrong.status == 1);
}

BOOST_AUTO_TEST_CASE(a_crash_is_a_stop) {
    if (!there) return;
    const std::string said = launch({"args:=[\"crash\"]"});
    BOOST_TEST(event_of(said) == "stopped", said);
    BOOST_TEST(json_at(said, "/until/params/reason").value_or("") == "exception", said);
    BOOST_TEST(json_at(said, "/frame/line").value_or("") == "17", said);
}

BOOST_AUTO_TEST_CASE(a_launch_that_fails_says_why) {
    if (!there) return;
    const auto failed = run({"launch", "program=none"});
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("cannot call 'dbg': the worker answered an error: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(breakpoints_stay_over_sessions) {
    if (!there) return;
    call({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    BOOST_TEST(event_of(launch()) == "stopped");
    BOOST_TEST(box.run({"restart", "dbg"}).status == 0);
    const std::string again = launch();
    BOOST_TEST(json_at(again, "/frame/line").value_or("") == "7", again);
    call({"setBreakpoints", "file=debuggee.cpp", "lines:=[]"});
    BOOST_TEST(event_of(go("continue")) == "exited");
}

BOOST_AUTO_TEST_CASE(the_program_and_the_adapter_end_with_their_session) {
    if (!there) return;
    const std::string running =
        call({"--until", "output:output=sum 39800\r\n", "launch", "program=d", "args:=[\"wait\"]"});
    BOOST_TEST(event_of(running) == "output", running);
    const auto during = box.processes();
    BOOST_TEST(during.size() >= 3u);  // the daemon, the adapter, the program
    BOOST_TEST(box.run({"stop", "dbg"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/exit").value_or("") == "0");
    BOOST_TEST(box.run({"start", "dbg"}).status == 0);
    const std::string second =
        call({"--until", "output:output=sum 39800\r\n", "launch", "program=d", "args:=[\"wait\"]"});
    const auto pid = json_at(box.run({"status", "--json"}).out, "/units/0/pid").value_or("0");
    ::kill(std::stoi(pid), SIGKILL);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }), second);
}

BOOST_AUTO_TEST_CASE(two_that_let_it_run_do_not_overlap) {
    if (!there) return;
    auto waiting = box.start({"call", "dbg", "--until", "terminated", "--collect", "process", "--events",
                              "launch", "program=d", "args:=[\"wait\"]"});
    BOOST_REQUIRE(waiting.read_line(30s));
    const auto refused = run({"continue"});
    BOOST_TEST(refused.status == 1);
    BOOST_TEST(refused.err ==
               "hob: cannot call 'dbg': 'launch' is not over yet, and 'continue' may not overlap with it\n");
    waiting.signal(SIGINT);
    waiting.wait();
}

BOOST_AUTO_TEST_CASE(a_program_runs_in_the_terminal_that_the_daemon_is) {
    if (!there) return;
    const std::string said =
        call({"--until", "exited", "--collect", "output", "launch", "program=d", "runInTerminal:=true"});
    BOOST_TEST(json_at(said, "/until/params/exitCode").value_or("") == "7", said);
    BOOST_TEST(wait_until([&] {
        return box.run({"logs", "dbg"}).out.find("sum 39800") != std::string::npos;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
