// Warm workers go on when another program takes over in the daemon's process: same process, same
// conversation.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

#include "fixtures/clangd_project.hpp"
#include "fixtures/daemon_death.hpp"
#include "fixtures/npm.hpp"
#include "fixtures/protocol_project.hpp"
#include "fixtures/rpc_project.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;
namespace data = boost::unit_test::data;

namespace {

// Counts its requests in memory.
constexpr const char* counter = R"(
import json, os, sys, time
count = 0
def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
for line in sys.stdin:
    request = json.loads(line)
    count += 1
    method = request["method"]
    if method == "note":
        say({"jsonrpc": "2.0", "method": "noted", "params": count})
    if method == "slow":
        open("slow", "w").close()
        time.sleep(request["params"])
    if method == "words":
        sys.stderr.write("last words\nand ha")
        sys.stderr.flush()
    if method == "die":
        sys.stderr.write("lf a line\n")
        os._exit(3)
    say({"jsonrpc": "2.0", "id": request["id"], "result": os.environ.get("WHO", count) if method == "who" else count})
    if method == "half":
        sys.stdout.write('{"jsonrpc":"2.0","method":"noted","params":"caf\u00e9')
        sys.stdout.flush()
        while not os.path.exists("go"):
            time.sleep(0.01)
        sys.stdout.write(' again"}\n')
        sys.stdout.flush()
)";

constexpr const char* counter_table = "[worker.w]\nrun = [\"python3\", \"w.py\"]\nprotocol = \"jsonrpc\"\n";

// Another program takes over; the daemon's pid stays.
void hand_over(sandbox& box) {
    const pid_t daemon = box.daemon_pid();
    const auto output = box.run({"restart", "--daemon"});
    BOOST_REQUIRE_MESSAGE(output.status == 0, output.text());
    BOOST_REQUIRE(box.daemon_pid() == daemon);
}

pid_t pid_of(sandbox& box, const std::string& unit) {
    return std::atoi(unit_member(box, unit, "pid").c_str());
}

// Hands over, and checks that the worker goes on and was not started again.
void hand_over_with(sandbox& box, const std::string& unit) {
    const pid_t pid = pid_of(box, unit);
    BOOST_REQUIRE(pid > 1);
    const std::string since = unit_member(box, unit, "since");
    hand_over(box);
    BOOST_TEST(unit_member(box, unit, "state") == "warm");
    BOOST_TEST(unit_member(box, unit, "since") == since);
    BOOST_TEST(unit_member(box, unit, "restarts") == "0");
    BOOST_TEST(pid_of(box, unit) == pid);
}

struct with_counter {
    sandbox box;
    explicit with_counter(const std::string& more = {}) {
        box.write("w.py", counter);
        box.config(counter_table + more);
    }
    std::string call(std::vector<std::string> words) { return call_worker(box, std::move(words)); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(handover_workers)

BOOST_FIXTURE_TEST_CASE(a_worker_keeps_what_it_has_in_memory_over_many_handovers, with_counter) {
    for (int i = 1; i <= 5; ++i) {
        BOOST_TEST(call({"count"}) == std::to_string(i) + "\n");
        hand_over_with(box, "w");
    }
    const pid_t pid = pid_of(box, "w");
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(!process_lives(pid));
}

BOOST_FIXTURE_TEST_CASE(events_of_before_are_collected_by_the_next_call, with_counter) {
    call({"note"});
    hand_over_with(box, "w");
    const std::string next = call({"--collect", "noted", "count"});
    BOOST_TEST(json_at(next, "/events/0/params").value_or("") == "1", next);
    BOOST_TEST(json_at(next, "/events/0/seq").value_or("") == "1", next);
    BOOST_TEST(!json_at(next, "/events/1").has_value(), next);
    const std::string again = call({"--until", "noted", "note"});
    BOOST_TEST(json_at(again, "/until/seq").value_or("") == "2", again);
}

BOOST_FIXTURE_TEST_CASE(a_message_that_has_come_in_part_is_read_to_its_end, with_counter) {
    call({"half"});
    hand_over_with(box, "w");
    box.write("go", "");
    const std::string next = call({"--until", "noted", "note"});
    const std::string both = call({"--collect", "noted", "count"});
    BOOST_TEST((next + both).find("caf\xc3\xa9 again") != std::string::npos, next << both);
    BOOST_TEST(box.run({"logs", "w"}).out.find("again") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_call_in_progress_is_answered_first, with_counter) {
    call({"count"});
    const pid_t pid = pid_of(box, "w");
    auto slow = box.start({"call", "w", "slow", "1"});
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/slow"); }));
    hand_over(box);
    const auto output = slow.wait();
    BOOST_TEST(output.status == 0, output.text());
    BOOST_TEST(output.out == "2\n");
    BOOST_TEST(pid_of(box, "w") == pid);
    BOOST_TEST(call({"count"}) == "3\n");
}

BOOST_AUTO_TEST_CASE(a_call_that_takes_too_long_is_lost_and_said_so) {
    with_counter worker("[daemon]\nshutdown_timeout = \"1s\"\n");
    sandbox& box = worker.box;
    auto slow = box.start({"call", "w", "slow", "1000"});
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/slow"); }));
    hand_over(box);
    const auto output = slow.wait();
    BOOST_TEST(output.status == 3, output.text());
    BOOST_TEST(output.err.find("cannot call 'w'") != std::string::npos, output.err);
}

BOOST_FIXTURE_TEST_CASE(its_last_words_and_its_log_go_on, with_counter) {
    call({"words"});
    hand_over_with(box, "w");
    const auto died = box.run({"call", "w", "die"});
    BOOST_TEST(died.err.find("its last words: and half a line") != std::string::npos, died.err);
    const std::string log = box.run({"logs", "w"}).out;
    BOOST_TEST(log.find("last words") != std::string::npos, log);
    // A half line that is old is logged as it is.
    BOOST_TEST(log.find("and ha") != std::string::npos, log);
    BOOST_TEST(log.find("lf a line") != std::string::npos, log);
}

BOOST_AUTO_TEST_CASE(the_environment_of_who_started_it_stays_for_its_next_process) {
    with_counter worker;
    sandbox& box = worker.box;
    run_options options;
    options.env = {{"WHO", "caller"}};
    BOOST_REQUIRE(box.run({"start", "w"}, options).status == 0);
    BOOST_TEST(worker.call({"who"}) == "\"caller\"\n");
    hand_over_with(box, "w");
    ::kill(pid_of(box, "w"), SIGKILL);
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "w", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "w", "exit") == "signal 9");
    hand_over(box);
    BOOST_TEST(unit_member(box, "w", "state") == "failed");
    BOOST_TEST(unit_member(box, "w", "exit") == "signal 9");
    BOOST_TEST(worker.call({"who"}) == "\"caller\"\n");
    BOOST_TEST(unit_member(box, "w", "restarts") == "1");
}

BOOST_AUTO_TEST_CASE(an_idle_worker_is_stopped_by_the_program_that_has_taken_over) {
    with_counter worker("idle_timeout = \"3s\"\n");
    worker.call({"count"});
    hand_over_with(worker.box, "w");
    BOOST_TEST(wait_until([&] { return unit_member(worker.box, "w", "state") == "cold"; }));
    BOOST_TEST(worker.box.processes().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(after_a_death_it_ends_whatever_was_handed_over_before, with_counter) {
    BOOST_TEST(call({"count"}) == "1\n");
    hand_over_with(box, "w");
    const pid_t pid = pid_of(box, "w");
    kill_daemon(box);
    BOOST_TEST(wait_until([&] { return !process_lives(pid); }));
    BOOST_TEST(unit_member(box, "w", "state") == "cold");
    BOOST_TEST(call({"count"}) == "1\n");
}

BOOST_FIXTURE_TEST_CASE(a_changed_file_counts_from_the_next_reload, with_counter) {
    BOOST_TEST(call({"count"}) == "1\n");
    box.config(std::string(counter_table) + "env = { WHO = \"other\" }\n");
    hand_over_with(box, "w");
    BOOST_TEST(call({"count"}) == "2\n");
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_TEST(call({"who"}) == "\"other\"\n");
}

BOOST_DATA_TEST_CASE(a_worker_that_listens_keeps_its_connection, data::make(protocols), protocol) {
    sandbox box;
    box.config(listening_worker(protocol));
    const std::string pid = call_worker(box, {"t/pid"});
    hand_over_with(box, "w");
    BOOST_TEST(call_worker(box, {"t/pid"}) == pid);
    BOOST_TEST(call_worker(box, {"t/echo", "5"}) == "5\n");
    const std::string waited =
        call_worker(box, {"--until", "stopped", "t/events", R"({"after":[["stopped",{"n":1}]]})"});
    BOOST_TEST(json_at(waited, "/until/event").value_or("") == "stopped", waited);
}

BOOST_AUTO_TEST_CASE(a_program_that_speaks_lines_goes_on) {
    sandbox box;
    box.config(lines_worker());
    BOOST_TEST(box.run({"call", "l", "one"}).out == "\"ONE\"\n");
    hand_over_with(box, "l");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(box.run({"call", "l", "two"}).out == "\"TWO\"\n");
    // What it says unasked belongs to no call.
    BOOST_TEST(box.run({"call", "l", "hold", "--timeout", "200ms"}).status != 0);
    hand_over(box);
    BOOST_TEST(box.run({"call", "l", "three"}).out == "\"THREE\"\n");
}

BOOST_AUTO_TEST_CASE(a_real_mcp_server_goes_on) {
    if (!require_npm(".bin/mcp-server-everything")) return;
    sandbox box;
    box.config("[worker.w]\nrun = [\"node\", \"" HOB_NPM
               "/node_modules/.bin/mcp-server-everything\"]\nprotocol = \"mcp\"\n");
    const std::string sum = call_worker(box, {"get-sum", "a:=1", "b:=2"});
    const std::string listed = call_worker(box, {"--list"});
    hand_over_with(box, "w");
    BOOST_TEST(call_worker(box, {"get-sum", "a:=1", "b:=2"}) == sum);
    BOOST_TEST(call_worker(box, {"--list"}) == listed);
    BOOST_TEST(box.run({"call", "w", "get-sum", "a=one", "b:=2"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_debugged_program_stays_where_it_stopped) {
    if (!require_program("lldb-vscode-14") || !require_program("c++")) return;
    sandbox box;
    box.config("[worker.w]\nrun = [\"lldb-vscode-14\"]\nprotocol = \"dap\"\ncall_timeout = \"60s\"\n");
    BOOST_REQUIRE(box.shell("cp " HOB_SOURCE_DIR "/test/fixtures/debuggee.cpp . && c++ -g -O0 -o d debuggee.cpp")
                      .status == 0);
    call_worker(box, {"setBreakpoints", "file=debuggee.cpp", "line=7"});
    const std::string stop = call_worker(box, {"--until", "stopped", "--locals", "launch", "program=d"});
    const std::string generation = value_at(stop, "/generation");
    for (int n = 0; n < 3; ++n) {
        hand_over_with(box, "w");
        BOOST_TEST(unit_member(box, "w", "detail") == "paused: breakpoint");
        const std::string value = call_worker(box, {"evaluate", "expression=n+40", "context=repl"});
        BOOST_TEST(value_at(value, "/result") == std::to_string(40 + n), value);
        const std::string next = call_worker(box, {"--until", "stopped,exited", "--locals", "continue"});
        BOOST_TEST(value_at(next, "/until/event") == "stopped", next);
        BOOST_TEST(value_at(next, "/frame/line") == "7", next);
    }
    const auto stale =
        box.run({"call", "w", "--generation", generation, "evaluate", "expression=n", "context=repl"});
    BOOST_TEST(stale.err.find("its handles are of generation") != std::string::npos, stale.text());
    hand_over_with(box, "w");
    call_worker(box, {"setBreakpoints", "file=debuggee.cpp", "lines:=[]"});
    const std::string end = call_worker(box, {"--until", "exited,terminated", "continue"});
    BOOST_TEST(value_at(end, "/until/params/exitCode") == "7", end);
}

BOOST_AUTO_TEST_CASE(clangd_keeps_its_index_and_sees_what_changed_meanwhile) {
    if (!require_program("clangd-14")) return;
    sandbox box;
    make_clangd_project(box, {"a.cpp", "b.cpp"});
    box.write("a.hpp", "int first();\n");
    box.write("a.cpp", "#include \"a.hpp\"\nint first() { return 1; }\n");
    box.write("b.cpp", "#include \"a.hpp\"\nint second() { return first(); }\n");
    const auto defined = [&] {
        return value_at(call_clangd(box, {"textDocument/definition", "file=b.cpp", "line=2", "col=25"}), "/0/uri");
    };
    const auto problems = [&](const std::string& file) {
        return value_at(call_clangd(box, {"textDocument/diagnostic", "file=" + file}), "/items/0/message");
    };
    call_clangd(box, {"textDocument/diagnostic", "file=a.cpp"});
    BOOST_TEST(defined().ends_with("a.cpp"));
    BOOST_TEST(problems("b.cpp") == "absent");
    box.write("b.cpp", "#include \"a.hpp\"\nint second() { return none(); }\n");
    hand_over_with(box, "clangd");
    BOOST_TEST(problems("b.cpp").find("none") != std::string::npos);
    box.write("a.hpp", "int first();\nint none();\n");
    hand_over_with(box, "clangd");
    BOOST_TEST(problems("b.cpp") == "absent");
    box.write("b.cpp", "#include \"a.hpp\"\nint second() { return first(); }\n");
    BOOST_TEST(defined().ends_with("a.cpp"));
    // A folder that is made meanwhile is watched.
    box.shell("mkdir new && echo 'int third();' > new/c.hpp");
    hand_over_with(box, "clangd");
    box.write("b.cpp", "#include \"new/c.hpp\"\nint second() { return third(); }\n");
    BOOST_TEST(problems("b.cpp") == "absent");
    box.write("new/c.hpp", "int fourth();\n");
    BOOST_TEST(problems("b.cpp").find("third") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pyright_lives_and_is_right) {
    if (!require_npm(".bin/pyright-langserver")) return;
    sandbox box;
    box.config("[worker.w]\nrun = [\"node\", \"" HOB_NPM
               "/node_modules/.bin/pyright-langserver\", \"--stdio\"]\nprotocol = \"lsp\"\ncall_timeout = "
               "\"60s\"\n");
    box.write("a.py", "def first() -> int:\n    return 1\n");
    box.write("b.py", "import a\nx: int = a.first()\n");
    const auto problems = [&] {
        run_options options;
        options.limit = 90s;
        const auto output = box.run({"call", "w", "textDocument/diagnostic", "file=b.py"}, options);
        BOOST_TEST(output.status == 0, output.text());
        return value_at(output.out, "/items/0/message");
    };
    BOOST_TEST(problems() == "absent");
    box.write("a.py", "def first() -> str:\n    return ''\n");
    hand_over_with(box, "w");
    BOOST_TEST(problems().find("str") != std::string::npos);
    // It ends by itself when the process is gone that `initialize` named: it looks every few seconds.
    const pid_t pid = pid_of(box, "w");
    BOOST_TEST(!wait_until([&] { return !process_lives(pid); }, milliseconds(5000)));
    box.write("a.py", "def first() -> int:\n    return 1\n");
    BOOST_TEST(problems() == "absent");
}

BOOST_AUTO_TEST_SUITE_END()
