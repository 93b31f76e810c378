// What makes tasks run by themselves, and what becomes of it.

#include <boost/test/unit_test.hpp>

#include <signal.h>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string runs(sandbox& box, const std::string& task) {
    return box.run({"runs", task, "-n", "all", "--json"}).out;
}

// How many runs of the task are in this state.
std::size_t in_state(sandbox& box, const std::string& task, const std::string& state) {
    return count(runs(box, task), "\"state\":\"" + state + "\"");
}

// Names every unit: they may start by themselves.
void consent(sandbox& box) { BOOST_TEST(box.run({"start"}).status == 0); }

}  // namespace

BOOST_AUTO_TEST_SUITE(task)

BOOST_AUTO_TEST_CASE(U09_a_timer_runs_on_its_grid_and_not_at_first_sight) {
    sandbox box;
    box.config(
        "[task.t]\nrun = [\"true\"]\nevery = \"1s\"\n[task.later]\nrun = [\"true\"]\nevery = \"24h\"\n");
    consent(box);
    BOOST_TEST(wait_until([&] { return in_state(box, "t", "ok") >= 3; }, 30s));
    BOOST_TEST(in_state(box, "later", "ok") == 0u);
    const auto status = box.run({"status", "--json"}).out;
    BOOST_TEST(json_at(status, "/units/1/state").value_or("") == "scheduled");
    BOOST_TEST(json_at(status, "/units/1/next_at").value_or("null") != "null");
    BOOST_TEST(json_at(runs(box, "t"), "/0/trigger").value_or("") == "timer");
}

BOOST_AUTO_TEST_CASE(nothing_starts_by_itself_before_somebody_has_run_something_here) {
    sandbox box;
    box.config("[task.t]\nrun = [\"true\"]\nevery = \"100ms\"\non_start = true\n");
    BOOST_TEST(box.run({"ping"}).status == 0);
    let_pass(500ms);
    BOOST_TEST(runs(box, "t") == "[]\n");
    consent(box);
    BOOST_TEST(wait_until([&] { return in_state(box, "t", "ok") >= 2; }));
    BOOST_TEST(count(runs(box, "t"), "\"trigger\":\"start\"") == 1u);
}

BOOST_AUTO_TEST_CASE(U09_what_a_stopped_daemon_missed_is_made_up_for_once_or_recorded_as_skipped) {
    sandbox box;
    box.config("[task.once]\nrun = [\"true\"]\nevery = \"1s\"\n");
    consent(box);
    BOOST_TEST(wait_until([&] { return in_state(box, "once", "ok") >= 1; }));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const auto before = in_state(box, "once", "ok");
    let_pass(2500ms);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return count(runs(box, "once"), "makes up for") == 1; }));
    BOOST_TEST(in_state(box, "once", "ok") >= before);
}

BOOST_AUTO_TEST_CASE(U09_overlap_skips_queues_or_cancels) {
    sandbox box;
    box.config(
        "[task.skip]\nrun = \"sleep 100\"\n"
        "[task.queue]\nrun = ['sh', '-c', 'echo $1 begins; while [ ! -e go ]; do sleep 0.05; done; echo $1 "
        "ends', "
        "'sh']\noverlap = \"queue\"\n"
        "[task.cancel]\nrun = \"sleep 100\"\noverlap = \"cancel\"\n");
    BOOST_TEST(box.run({"run", "--detach", "skip"}).status == 0);
    const auto refused = box.run({"run", "--detach", "skip"});
    BOOST_TEST(refused.status == 125);
    BOOST_TEST(refused.err.starts_with("hob: cannot run 'skip': run 1 of it is not over\n"));

    auto first = box.start({"run", "queue", "--", "a"});
    BOOST_TEST(first.read_line(20s).value_or("") == "a begins");
    auto second = box.start({"run", "queue", "--", "b"});
    box.write("go", "");
    BOOST_TEST(first.wait().out == "a begins\na ends\n");
    BOOST_TEST(second.wait().out == "b begins\nb ends\n");

    BOOST_TEST(box.run({"run", "--detach", "cancel"}).status == 0);
    BOOST_TEST(box.run({"run", "--detach", "cancel"}).status == 0);
    BOOST_TEST(in_state(box, "cancel", "cancelled") == 1u);
    BOOST_TEST(in_state(box, "cancel", "running") == 1u);
}

BOOST_AUTO_TEST_CASE(U09_a_timeout_kills_the_group_and_a_retry_counts) {
    sandbox box;
    box.config(
        "[task.slow]\nrun = \"sleep 100 & sleep 100; true\"\ntimeout = \"300ms\"\n"
        "[task.bad]\nrun = \"exit 3; true\"\non_start = true\nretry = { max = 2, delay = \"50ms\" }\n");
    consent(box);
    const auto slow = box.run({"run", "slow"});
    BOOST_TEST(slow.status == 128 + SIGTERM);
    BOOST_TEST(in_state(box, "slow", "timeout") == 1u);
    BOOST_TEST(wait_until([&] { return in_state(box, "bad", "failed") == 3; }));
    let_pass(300ms);
    BOOST_TEST(count(runs(box, "bad"), "\"trigger\":\"retry\"") == 2u);
    BOOST_TEST(box.run({"run", "bad"}).status == 3);
    let_pass(300ms);
    BOOST_TEST(in_state(box, "bad", "failed") == 4u);  // by hand: once
    for (const pid_t pid : box.processes())
        BOOST_TEST(slurp("/proc/" + std::to_string(pid) + "/comm") != "sleep\n");
}

BOOST_AUTO_TEST_CASE(a_stopped_task_is_held_over_restarts_until_it_is_started) {
    sandbox box;
    box.config("[task.t]\nrun = [\"true\"]\nevery = \"200ms\"\n");
    consent(box);
    BOOST_TEST(wait_until([&] { return in_state(box, "t", "ok") >= 1; }));
    BOOST_TEST(box.run({"stop", "t"}).out == "t  held\n");
    const auto before = in_state(box, "t", "ok");
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    let_pass(700ms);
    BOOST_TEST(in_state(box, "t", "ok") == before);
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "held");
    BOOST_TEST(box.run({"start", "t"}).status == 0);
    BOOST_TEST(wait_until([&] { return in_state(box, "t", "ok") > before; }));
}

BOOST_AUTO_TEST_CASE(only_so_many_runs_are_kept) {
    sandbox box;
    box.config("[task.t]\nrun = [\"true\"]\nkeep = 3\n");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(box.run({"run", "t"}).status == 0);
    const auto kept = runs(box, "t");
    BOOST_TEST(count(kept, "\"id\":") == 3u);
    BOOST_TEST(json_at(kept, "/0/id").value_or("") == "5");
}

BOOST_AUTO_TEST_CASE(D06_a_history_that_is_damaged_or_locked_stops_no_start_and_no_other_run) {
    sandbox box;
    box.config("[task.t]\nrun = [\"true\"]\n");
    BOOST_TEST(box.run({"run", "t"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    box.shell("printf garbage | dd of=" + box.state_dir() + "/hob.db bs=1 conv=notrunc 2>/dev/null");
    BOOST_TEST(box.run({"run", "t"}).status == 0);
    BOOST_TEST(count(runs(box, "t"), "\"id\":") == 1u);
    // Locked while it runs: the run is refused, as its record could not be kept, and says why.
    run_options options;
    options.program = "/usr/bin/python3";
    options.keep_stdin = true;
    auto lock = box.start({"-c",
                           "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                           "c.execute('BEGIN IMMEDIATE')\nprint('locked', flush=True)\nsys.stdin.read()",
                           box.state_dir() + "/hob.db"},
                          options);
    BOOST_TEST(lock.read_line(20s).value_or("") == "locked");
    const auto refused = box.run({"run", "t"});
    BOOST_TEST(refused.status == 125);
    BOOST_TEST(refused.err.find("its record cannot be written: database is locked") != std::string::npos);
    lock.close_stdin();
    lock.wait();
    BOOST_TEST(box.run({"run", "t"}).status == 0);
}

BOOST_AUTO_TEST_CASE(an_idle_daemon_with_a_schedule_makes_no_system_call_and_does_not_end) {
    sandbox box;
    box.config("[daemon]\nidle_timeout = \"300ms\"\n[task.t]\nrun = [\"true\"]\nevery = \"1h\"\n");
    consent(box);
    let_pass(1s);
    const pid_t daemon = box.daemon_pid();
    BOOST_TEST(daemon != 0);
    const long before = context_switches(daemon);
    let_pass(2s);
    BOOST_TEST(context_switches(daemon) == before);
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(U49_the_first_callers_TZ_moves_no_schedule_and_reaches_its_units) {
    sandbox box;
    box.config("[task.noon]\nrun = 'echo $TZ'\ncron = '0 12 * * *'\n");
    const std::string zone = box.shell("unset TZ; date +%:z").out;
    run_options away;
    away.env = {{"TZ", zone == "+09:00\n" ? "XXX5" : "XXX-9"}};
    BOOST_TEST(box.run({"run", "noon"}, away).out == *away.env.front().second + "\n");
    const auto next = json_at(box.run({"status", "--json"}).out, "/units/0/next_at").value_or("");
    const std::string offset = zone.substr(0, 6);
    BOOST_TEST((next.ends_with(offset) || (offset == "+00:00" && next.ends_with("Z"))), next);
    BOOST_TEST(next.find("T12:00:00") != std::string::npos, next);
}

BOOST_AUTO_TEST_CASE(L39_a_change_of_the_time_zone_moves_the_schedules) {
    sandbox box;
    box.config(
        "[task.noon]\nrun = ['true']\ncron = '0 12 * * *'\n[task.grid]\nrun = ['true']\nevery = '1h'\n");
    // Two zone files (RFC 8536, version 1): no transitions, one type with its offset in seconds.
    const auto zone = [&](const std::string& path, std::int32_t offset) {
        std::string file = std::string("TZif") + std::string(40, '\0');
        file[39] = 1;  // types
        file[43] = 4;  // characters of abbreviations
        for (int shift : {24, 16, 8, 0})
            file += static_cast<char>(static_cast<std::uint32_t>(offset) >> shift & 0xff);
        box.write(path, file + std::string("\0\0ABC\0", 6));
    };
    zone("east", 9 * 3600);
    zone("west", -5 * 3600);
    box.shell("cp east zone");
    const auto started =
        box.shell("unset TZ; unshare -m sh -c 'mount --bind zone /etc/localtime && hob start'");
    if (started.status != 0) {
        BOOST_TEST_MESSAGE("no mount namespace is to be had here: " << started.err);
        return;
    }
    const auto next = [&](int unit) {
        return json_at(box.run({"status", "--json"}).out, "/units/" + std::to_string(unit) + "/next_at")
            .value_or("");
    };
    BOOST_TEST(next(0).ends_with("T12:00:00.000+09:00"), next(0));
    box.shell("cat west > zone");
    BOOST_TEST(wait_until([&] { return next(0).ends_with("T12:00:00.000-05:00"); }));
    BOOST_TEST(next(1).ends_with("-05:00"), next(1));
    BOOST_TEST(runs(box, "noon") == "[]\n");
    box.shell("cat east > zone");
    BOOST_TEST(wait_until([&] { return next(0).ends_with("T12:00:00.000+09:00"); }));
    BOOST_TEST(runs(box, "noon") == "[]\n");
}

BOOST_AUTO_TEST_CASE(U38_a_task_in_after_has_ended_with_0_before_what_names_it_is_launched) {
    sandbox box;
    box.config(
        "[task.seed]\nrun = 'echo seed >> order'\n"
        "[task.migrate]\nrun = ['sh', '-c', 'echo migrate >> order; exit $(cat status)']\nafter = ['seed']\n"
        "[service.web]\nrun = 'echo web >> order; exec sleep 1000'\nafter = ['migrate']\n"
        "ready = { exec = 'grep -q web order' }\nbackoff = { min = '10ms' }\n"
        "[task.t]\nrun = 'echo t >> order'\nafter = ['migrate']\n");
    const auto order = [&] { return box.shell("cat order; rm -f order").out; };
    const auto pid = [&] { return json_at(box.run({"status", "--json"}).out, "/units/2/pid").value_or("-"); };
    box.write("status", "3");
    const auto failed = box.run({"start", "web"});
    BOOST_TEST(failed.status == 1);
    BOOST_TEST(
        failed.err.find("cannot start 'web': it needs 'migrate', which failed: run 2 exited with status 3\n"
                        "hint: hob logs migrate\n") != std::string::npos,
        failed.err);
    BOOST_TEST(order() == "seed\nmigrate\n");
    BOOST_TEST(box.run({"run", "t"}).status == 125);
    BOOST_TEST(order() == "seed\nmigrate\n");
    box.write("status", "0");
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(order() == "seed\nmigrate\nweb\n");
    BOOST_TEST(json_at(runs(box, "migrate"), "/0/trigger").value_or("") == "after");
    BOOST_TEST(json_at(runs(box, "migrate"), "/0/cause").value_or("") == "before web");
    BOOST_TEST(box.run({"run", "t"}).status == 0);
    BOOST_TEST(order() == "seed\nmigrate\nt\n");
    // A unit that is up needs nothing, and a restart after a crash runs no task.
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(order() == "");
    box.shell("kill -9 " + pid());
    BOOST_TEST(wait_until([&] { return box.shell("cat order").out == "web\n"; }));
    BOOST_TEST(order() == "web\n");
    // A restart runs the tasks first; a failure leaves the process alone.
    box.write("status", "4");
    const auto before = pid();
    BOOST_TEST(box.run({"restart", "web"}).status == 1);
    BOOST_TEST(pid() == before);
    BOOST_TEST(order() == "seed\nmigrate\n");
    box.write("status", "0");
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    BOOST_TEST(order() == "seed\nmigrate\nweb\n");
}

BOOST_AUTO_TEST_CASE(U38_a_run_in_progress_is_joined_retries_count_and_a_stop_ends_the_wait) {
    sandbox box;
    box.config(
        "[task.slow]\nrun = 'echo x >> began; while [ ! -e go ]; do sleep 0.02; done'\n"
        "[service.a]\nrun = 'exec sleep 1000'\nafter = ['slow']\n[service.b]\nrun = 'exec sleep 1000'\nafter "
        "= ['slow']\n"
        "[task.flaky]\nrun = 'test -e second || { : > second; exit 1; }'\nretry = { max = 1, delay = '10ms' "
        "}\n"
        "[service.c]\nrun = 'exec sleep 1000'\nafter = ['flaky']\n");
    auto both = box.start({"start", "a", "b"});
    BOOST_TEST(wait_until([&] { return box.shell("cat began").out == "x\n"; }));
    box.write("go", "");
    BOOST_TEST(both.wait().status == 0);
    BOOST_TEST(box.shell("cat began").out == "x\n");
    BOOST_TEST(box.run({"start", "c"}).status == 0);
    BOOST_TEST(box.run({"stop", "a"}).status == 0);
    box.shell("rm go began");
    auto waits = box.start({"start", "a"});
    BOOST_TEST(wait_until([&] { return box.shell("cat began").out == "x\n"; }));
    BOOST_TEST(box.run({"stop", "slow"}).status == 0);
    const auto ended = waits.wait();
    BOOST_TEST(ended.status == 1);
    BOOST_TEST(ended.err.find("it needs 'slow', which failed: run") != std::string::npos, ended.err);
}

BOOST_AUTO_TEST_SUITE_END()
