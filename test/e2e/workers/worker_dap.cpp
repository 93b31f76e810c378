// DAP with a real adapter, lldb-vscode, on a C++ program.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/dap_project.hpp"
#include "fixtures/protocol_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

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
        const auto output = run(std::move(words));
        BOOST_TEST(output.status == 0, output.text());
        return output.out;
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

std::string event_of(const std::string& output) { return json_at(output, "/until/event").value_or("none"); }

std::string local(const std::string& output, const std::string& name) {
    for (int i = 0; i < 10; ++i) {
        const std::string at = "/locals/" + std::to_string(i);
        if (json_at(output, at + "/name") == name) return json_at(output, at + "/value").value_or("");
    }
    return "none";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker_dap, with_debugger)

BOOST_AUTO_TEST_CASE(U13_two_hundred_stops_and_the_end_are_all_seen) {
    if (!there) return;
    const std::string promised = call({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    BOOST_TEST(json_at(promised, "/breakpoints/0/verified").value_or("") == "false", promised);
    std::string output = launch();
    for (int i = 0; i < 200; ++i) {
        BOOST_REQUIRE_MESSAGE(event_of(output) == "stopped", i << ": " << output);
        BOOST_REQUIRE_MESSAGE(json_at(output, "/frame/line").value_or("") == "7", i << ": " << output);
        BOOST_REQUIRE_MESSAGE(local(output, "n") == std::to_string(i), i << ": " << output);
        output = go("continue");
    }
    BOOST_TEST(event_of(output) == "exited", output);
    BOOST_TEST(json_at(output, "/until/params/exitCode").value_or("") == "7");
    BOOST_TEST(output.find("sum 39800") != std::string::npos, output);
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
    const std::string output = launch({"args:=[\"crash\"]"});
    BOOST_TEST(event_of(output) == "stopped", output);
    BOOST_TEST(json_at(output, "/until/params/reason").value_or("") == "exception", output);
    BOOST_TEST(json_at(output, "/frame/line").value_or("") == "17", output);
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

BOOST_AUTO_TEST_CASE(D03_breakpoints_stay_over_daemons_that_are_killed) {
    if (!there) return;
    call({"setBreakpoints", "file=debuggee.cpp", "line=7"});
    call({"setFunctionBreakpoints", R"({"breakpoints":[{"name":"main"}]})"});
    std::size_t alive = 0;
    for (int round = 0; round < 2; ++round) {
        ::kill(box.daemon_pid(), SIGKILL);
        const std::string first = launch();
        if (round == 0) alive = box.processes().size();
        BOOST_TEST(json_at(first, "/frame/name").value_or("").starts_with("main"), first);
        const std::string next = go("continue");
        BOOST_TEST(json_at(next, "/frame/line").value_or("") == "7", next);
    }
    BOOST_TEST(
        wait_until([&] { return box.processes().size() == alive; }));  // nothing of the killed daemon is left
    call({"setFunctionBreakpoints", R"({"breakpoints":[]})"});
    ::kill(box.daemon_pid(), SIGKILL);
    BOOST_TEST(json_at(launch(), "/frame/line").value_or("") == "7");
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

BOOST_AUTO_TEST_CASE(two_calls_that_let_it_run_do_not_overlap) {
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

BOOST_AUTO_TEST_CASE(run_in_terminal_runs_the_program_under_the_daemon) {
    if (!there) return;
    const std::string output =
        call({"--until", "exited", "--collect", "output", "launch", "program=d", "runInTerminal:=true"});
    BOOST_TEST(json_at(output, "/until/params/exitCode").value_or("") == "7", output);
    BOOST_TEST(wait_until([&] {
        return box.run({"logs", "dbg"}).out.find("sum 39800") != std::string::npos;
    }));
}

BOOST_AUTO_TEST_CASE(a_program_that_was_attached_to_survives_the_session) {
    if (!there) return;
    // Yama lets a process attach only to its own descendants.
    if (slurp("/proc/sys/kernel/yama/ptrace_scope") > "0\n" && !require_root()) return;
    run_options alone;
    alone.program = box.project() + "/d";
    auto program = box.start({"wait"}, alone);
    BOOST_REQUIRE(program.read_line(30s) == "sum 39800");
    const std::string pid = "pid:=" + std::to_string(program.pid());
    const auto sleeps = [&] { return proc_status(program.pid(), "State").starts_with("S"); };
    BOOST_REQUIRE(wait_until(sleeps));
    for (const auto& end :
         std::vector<std::vector<std::string>>{{"stop", "dbg"}, {"call", "dbg", "disconnect"}}) {
        BOOST_TEST(box.run({"start", "dbg"}).status == 0);
        call({"attach", pid, "program=d"});
        BOOST_TEST(detail() == "running");
        const std::string output = go("pause");
        BOOST_TEST(event_of(output) == "stopped", output);
        const auto frames = call({"stackTrace"});
        BOOST_TEST(frames.find("\"main\"") != std::string::npos, frames);
        BOOST_TEST(box.run(end).status == 0);
        BOOST_TEST(wait_until(sleeps));
        BOOST_TEST(box.run({"stop", "dbg"}).status == 0);
        BOOST_TEST(proc_status(program.pid(), "TracerPid") == "0");
    }
    BOOST_TEST(program.running());
    program.signal(SIGTERM);
    BOOST_TEST(program.wait().signal == SIGTERM);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(worker_dap_words)

BOOST_AUTO_TEST_CASE(a_child_session_is_refused_with_a_reason_and_reported_as_an_event) {
    dap_worker dap;
    const std::string output =
        dap.call({"--until", "startDebugging:request=attach", "t/ask",
                  R"({"method":"startDebugging","params":{"request":"attach","configuration":{"port":1}}})"});
    BOOST_TEST(json_at(output, "/until/params/configuration/port").value_or("") == "1", output);
    BOOST_TEST(json_at(output, "/result/success").value_or("") == "false", output);
    BOOST_TEST(json_at(output, "/result/message").value_or("") ==
               "one worker of hob is one session; a child needs a worker of its own");
    BOOST_TEST((json_at(output, "/result/body/error/format") == json_at(output, "/result/message")), output);
    const std::string unknown = dap.call({"t/ask", R"({"method":"noSuchThing"})"});
    BOOST_TEST(json_at(unknown, "/message").value_or("") == "notSupported", unknown);
}

BOOST_AUTO_TEST_CASE(progress_of_the_adapter_is_its_activity) {
    dap_worker dap;
    const auto after = [&](const std::string& events) {
        dap.call({"t/events", R"({"before":[)" + events + "]}"});
        return json_at(dap.box.run({"status", "--json"}).out, "/units/0/detail").value_or("");
    };
    BOOST_TEST(after(R"(["progressStart",{"progressId":"1","title":"reading symbols"}])") ==
               "reading symbols");
    BOOST_TEST(after(R"(["progressUpdate",{"progressId":"1","percentage":43.7,"message":"libc"}])") ==
               "reading symbols: libc 43 %");
    BOOST_TEST(after(R"(["continued",{}])") == "running, reading symbols: libc 43 %");
    BOOST_TEST(after(R"(["progressStart",{"progressId":"2","title":""}])") == "running, working");
    BOOST_TEST(after(R"(["progressEnd",{"progressId":"2"}],["progressUpdate",{"progressId":"2"}])") ==
               "running, reading symbols: libc 43 %");
    BOOST_TEST(after(R"(["stopped",{"reason":"step"}],["progressEnd",{"progressId":"1"}])") ==
               "paused: step");
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += R"(["progressStart",{"progressId":")" + std::to_string(i) + R"(","title":"many"}],)";
    BOOST_TEST(after(many + R"(["progressEnd",{"progressId":"none"}])") == "paused: step, many");
}

BOOST_AUTO_TEST_CASE(P08_only_an_adapter_that_can_cancel_is_asked_to_also_one_that_says_so_later) {
    const std::string can = R"({"before":[["capabilities",{"capabilities":{"supportsCancelRequest":true}}]]})";
    for (const std::string mode : {"legacy", "cancels", "learns", "later"}) {
        dap_worker dap(mode);
        dap.call({"t/pid"});
        if (mode == "later") dap.call({"t/events", can});
        BOOST_TEST(dap.box.run({"call", "w", "--timeout", "200ms", "t/never"}).status == 4);
        BOOST_TEST((dap.call({"t/cancelled"}) == "[]\n") == (mode == "legacy"), mode);
    }
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

const std::string all_exceptions = R"({"filters":["all"]})";

}  // namespace

BOOST_AUTO_TEST_SUITE(worker_dap_memory)

BOOST_AUTO_TEST_CASE(D03_every_kind_of_breakpoint_stays_byte_for_byte) {
    dap_worker dap;
    dap.call({"setBreakpoints", in_a});
    dap.call({"setBreakpoints", R"({"source":{"path":"/b"},"breakpoints":[{"line":2}]})"});
    dap.call({"setExceptionBreakpoints", all_exceptions});
    dap.call({"setInstructionBreakpoints", R"({"breakpoints":[{"instructionReference":"0x1"}]})"});
    dap.call({"setFunctionBreakpoints", R"({"breakpoints":[{"name":"f"}]})"});
    const std::string first = dap.given();
    BOOST_TEST(count(first, "set") == 5u, first);
    BOOST_TEST(first.find("\"condition\": \"x > 1.50\"") != std::string::npos, first);
    for (int round = 0; round < 3; ++round) {
        ::kill(dap.box.daemon_pid(), SIGKILL);
        BOOST_TEST(dap.given() == first);
    }
    // Breakpoints that are removed in a session are not set in the next.
    dap.call({"setBreakpoints", R"({"source":{"path":"/b"},"breakpoints":[]})"});
    ::kill(dap.box.daemon_pid(), SIGKILL);
    const std::string later = dap.given();
    BOOST_TEST(count(later, "set") == 4u, later);
    BOOST_TEST(later.find("/b") == std::string::npos, later);
}

BOOST_AUTO_TEST_CASE(breakpoints_stay_when_the_configuration_changes_and_go_with_the_protocol) {
    dap_worker dap;
    dap.call({"setBreakpoints", in_a});
    dap.set("legacy", "env = { A = \"1\" }");
    BOOST_TEST(dap.box.run({"reload"}).status == 0);
    BOOST_TEST(count(dap.given(), "/a") == 1u);
    dap.box.config(protocol_worker("mcp"));
    BOOST_TEST(dap.box.run({"reload"}).status == 0);
    BOOST_TEST(dap.box.run({"call", "w", "t/pid"}).status == 0);
    dap.set("legacy");
    BOOST_TEST(dap.box.run({"reload"}).status == 0);
    BOOST_TEST(dap.given() == "[]\n");
}

BOOST_AUTO_TEST_CASE(refused_breakpoints_do_not_stop_a_launch_and_are_reported) {
    dap_worker dap("@mode");
    dap.box.write("mode", "legacy");
    dap.call({"setBreakpoints", in_a});
    dap.box.write("mode", "refuses");
    BOOST_TEST(dap.box.run({"restart", "w"}).status == 0);
    const auto launched = dap.box.run({"call", "w", "launch", "program=p"});
    BOOST_TEST(launched.status == 0, launched.text());
    BOOST_TEST(launched.err ==
               "hob: 'setBreakpoints /a' was refused: cannot call 'w': the worker answered an error: no "
               "breakpoints today at all\n");
    // Breakpoints that are refused when they are set are not stored.
    const auto refused = dap.box.run(
        {"call", "w", "setBreakpoints", R"({"source":{"path":"/c"},"breakpoints":[{"line":1}]})"});
    BOOST_TEST(refused.status == 1);
    dap.box.write("mode", "legacy");
    BOOST_TEST(dap.box.run({"restart", "w"}).status == 0);
    const std::string given = dap.given();
    BOOST_TEST(given.find("/a") != std::string::npos, given);
    BOOST_TEST(given.find("/c") == std::string::npos, given);
}

BOOST_AUTO_TEST_CASE(D06_breakpoints_stay_over_sessions_while_the_database_cannot_be_used) {
    dap_worker dap;
    BOOST_TEST(dap.box.shell("mkdir -p '" + dap.box.state_dir() + "/hob.db'").status == 0);
    dap.call({"setBreakpoints", in_a});
    BOOST_TEST(dap.box.run({"restart", "w"}).status == 0);
    BOOST_TEST(count(dap.given(), "/a") == 1u);
}

BOOST_AUTO_TEST_CASE(D06_breakpoints_stay_over_sessions_while_the_database_is_locked) {
    dap_worker dap;
    dap.call({"t/pid"});
    run_options locking;
    locking.program = "/usr/bin/python3";
    locking.keep_stdin = true;
    auto locker = dap.box.start(
        {"-c",
         "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.execute('BEGIN IMMEDIATE')\nprint('locked', "
         "flush=True)\nsys.stdin.read()",
         dap.box.state_dir() + "/hob.db"},
        locking);
    BOOST_REQUIRE(locker.read_line(10s) == "locked");
    dap.call({"setBreakpoints", in_a});
    locker.close_stdin();
    locker.wait();
    BOOST_TEST(dap.box.run({"restart", "w"}).status == 0);
    BOOST_TEST(count(dap.given(), "/a") == 1u);
    // They are written once the database can be written.
    ::kill(dap.box.daemon_pid(), SIGKILL);
    BOOST_TEST(count(dap.given(), "/a") == 1u);
    BOOST_TEST(count(slurp(dap.box.daemon_log()), "the database cannot be written") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
