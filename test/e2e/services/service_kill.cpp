// How the processes of a service are ended: which of them, by which signals, and what hob says of it.

#include <fmt/format.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"

using namespace hob::test;

namespace {

bool runs_as_another_user(const sandbox& box) {
    const auto processes = box.processes();
    return std::any_of(processes.begin(), processes.end(),
                       [](pid_t pid) { return proc_status(pid, "Uid").find("12345") != std::string::npos; });
}

// The line of `hob doctor` about this.
std::string finding(sandbox& box, const std::string& check) {
    const std::string all = box.run({"doctor"}).out;
    const auto at = all.find("  " + check + " ");
    return at == std::string::npos ? all : all.substr(at, all.find('\n', at) - at);
}

void end_unit_of_another_user(sandbox& box, const std::string& prefix, const std::string& how) {
    box.config(service("s", prefix + " sleep 1001 & echo up; exec sleep 1000",
                       "ready = { log = \"up\" }\nstop = { timeout = \"300ms\" }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return runs_as_another_user(box); }));
    if (how != "kill") {
        BOOST_TEST(box.run({how}).status == 0);
        return;
    }
    box.kill_daemon_and_keeper();
    BOOST_TEST(box.run({"daemon"}).status == 0);
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_kill)

BOOST_AUTO_TEST_CASE(U15_a_process_that_changes_its_user_is_ended_with_its_unit) {
    if (::geteuid() != 0 || !require_program("setpriv")) {
        BOOST_TEST_MESSAGE("not possible here: needs root and setpriv");
        return;
    }
    const std::string other = "setpriv --reuid=12345 --regid=12345 --clear-groups";
    const std::string cleared = "env -i " + other;
    // A cgroup shows by itself whose a process is. Without one its parents, its session and its marks do.
    for (const std::string cgroup : {"on", "off"}) {
        for (const std::string& prefix : {other, "setsid " + other, "setsid " + cleared}) {
            for (const std::string how : {"stop", "shutdown", "kill"}) {
                // Without its environment and its session, and once its parent has ended, only a cgroup or the
                // daemon that has seen its parent shows whose it is.
                if (how == "kill" && prefix == "setsid " + cleared) continue;
                sandbox box;
                box.set_env("HOB_CGROUP", cgroup);
                end_unit_of_another_user(box, prefix, how);
                const std::size_t left = how == "shutdown" ? 0 : 1;
                BOOST_TEST(wait_until([&] { return box.processes().size() == left; }),
                           prefix << ", " << how << ", cgroup " << cgroup);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(U15_a_timed_out_run_ends_a_process_that_changed_its_user) {
    if (::geteuid() != 0 || !require_program("setpriv")) {
        BOOST_TEST_MESSAGE("not possible here: needs root and setpriv");
        return;
    }
    sandbox box;
    box.config("[task.t]\nrun = \"setpriv --reuid=12345 --clear-groups sleep 1001\"\ntimeout = \"500ms\"\n");
    BOOST_TEST(box.run({"run", "t"}).status != 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(U15_a_process_that_is_merely_called_hob_is_ended_with_its_unit) {
    sandbox box;
    box.config(
        service("s", "cp /bin/sleep ./hob; env -i setsid ./hob 1001 & ./hob 1002 & echo up; exec sleep 1000",
                "ready = { log = \"up\" }\nstop = { timeout = \"300ms\" }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return box.processes().size() == 4; }));
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(U40_what_a_process_that_ended_by_itself_leaves_gets_the_stop_signal_and_its_time) {
    const std::string saver =
        "(trap 'sleep 0.3; echo saved > saved; exit 0' TERM; echo up; while :; do sleep 0.05; done) & ";
    {
        sandbox box;
        box.config(service("s", saver + "wait", "ready = { log = \"up\" }\nrestart = \"never\""));
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        ::kill(std::atoi(unit_member(box, "s", "pid").c_str()), SIGKILL);
        BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }, 20s));
        BOOST_TEST(exists(box.project() + "/saved"));
        BOOST_TEST(box.processes().size() == 1u);
    }
    {
        sandbox box;
        box.config("[task.t]\nrun = [\"/bin/bash\", \"-c\", '''" + saver + "sleep 0.3; exit 3''']\n");
        BOOST_TEST(box.run({"run", "t"}).status == 3);
        BOOST_TEST(wait_until([&] { return exists(box.project() + "/saved"); }));
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
    }
}

BOOST_AUTO_TEST_CASE(U40_what_ignores_the_stop_signal_is_killed_after_the_timeout) {
    sandbox box;
    box.config(service("s", "(trap '' TERM; echo up; while :; do sleep 0.05; done) & wait",
                       "ready = { log = \"up\" }\nrestart = \"never\"\nstop = { timeout = \"300ms\" }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    ::kill(std::atoi(unit_member(box, "s", "pid").c_str()), SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }, 20s));
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(U41_mixed_signals_the_main_process_alone_and_kills_all_after_the_timeout) {
    // The main process finishes its job after the signal, for which it needs its child; another child never
    // ends.
    const std::string script =
        "(trap 'echo signalled >> children' TERM; while [ ! -e finish ]; do sleep 0.05; done; echo done > "
        "job) & "
        "child=$!; (trap '' TERM; setsid sleep 1001) & "
        "trap 'touch finish; wait $child; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    const std::string more = "ready = { log = \"up\" }\nstop = { timeout = \"1s\" }\nrestart = \"never\"\n";
    for (const std::string how : {"stop", "shutdown"}) {
        sandbox box;
        box.config(service("s", script, more + "kill = \"mixed\""));
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        BOOST_TEST(box.run({how}).status == 0);
        BOOST_TEST(slurp(box.project() + "/job") == "done\n");
        BOOST_TEST(!exists(box.project() + "/children"));
        BOOST_TEST(wait_until([&] { return box.processes().size() == (how == "stop" ? 1u : 0u); }), how);
    }
}

BOOST_AUTO_TEST_CASE(U41_mixed_ends_all_after_a_kill_of_daemon_and_keeper) {
    sandbox box;
    box.config(service("s", "(setsid sleep 1001 &) ; echo up; exec sleep 1000",
                       "ready = { log = \"up\" }\nkill = \"mixed\""));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    box.kill_daemon_and_keeper();
    BOOST_TEST(box.run({"daemon"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
}

BOOST_AUTO_TEST_CASE(U45_a_stop_that_needed_SIGKILL_says_so_and_names_the_keys) {
    const std::string note =
        "killed: it did not end within 300ms of SIGTERM; stop.timeout and stop.signal change that";
    // The main process itself, or only a child of it.
    for (const std::string script :
         {"trap '' TERM; echo up; while :; do sleep 0.05; done",
          "(trap '' TERM; echo up; while :; do sleep 0.05; done) & exec sleep 1000"}) {
        sandbox box;
        box.config(service("s", script, "ready = { log = \"up\" }\nstop = { timeout = \"300ms\" }") +
                   service("good", "exec sleep 1000"));
        BOOST_REQUIRE(box.run({"start"}).status == 0);
        const auto stopped = box.run({"stop", "s"});
        BOOST_TEST(stopped.status == 0);
        BOOST_TEST(stopped.err == "hob: 's' was " + note + "\n");
        BOOST_TEST(unit_member(box, "s", "detail") == note);
        BOOST_TEST(box.run({"logs", "-v", "s"}).out.find(note) != std::string::npos);
        BOOST_TEST(box.run({"stop", "good"}).err.empty());
        BOOST_TEST(box.run({"start", "s"}).status == 0);
        BOOST_TEST(unit_member(box, "s", "detail") == "null");
    }
}

// A daemon that may not signal its processes, as if they had become another user's.
BOOST_AUTO_TEST_CASE(U15_stop_and_status_name_what_could_not_be_ended_whatever_its_kind) {
    const std::string more = "stop = { timeout = \"100ms\" }\nkill = \"group\"\n";
    const std::string config = service("s", "exec sleep 1000", more) +
                               "[worker.w]\nrun = [\"sleep\", \"1000\"]\nprotocol = \"lines\"\n" + more +
                               "[task.t]\nrun = [\"sleep\", \"1000\"]\n" + more;
    for (const std::string unit : {"s", "w", "t"}) {
        sandbox box;
        box.config(config);
        run_options options;
        options.in_child = [] {
            fail_syscall(__NR_kill, EPERM);
            fail_syscall(__NR_pidfd_send_signal, EPERM);
        };
        BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
        const std::vector<std::string> start = unit == "t" ? std::vector<std::string>{"run", "--detach", "t"}
                                                           : std::vector<std::string>{"start", unit};
        BOOST_REQUIRE(box.run(start).status == 0);
        BOOST_REQUIRE(wait_until([&] { return unit_member(box, unit, "pid") != "null"; }));
        const std::string pid = unit_member(box, unit, "pid");
        const auto stopped = box.run({"stop", unit});
        BOOST_TEST(stopped.status == 1, stopped.text());
        const std::string named = "pid " + pid + " (sleep) is left";
        BOOST_TEST(stopped.err.find("cannot stop '" + unit + "': " + named) != std::string::npos,
                   stopped.err);
        BOOST_TEST(unit_member(box, unit, "detail").find(named) != std::string::npos);
        BOOST_TEST(unit_member(box, unit, "left") == "[" + pid + "]");
        BOOST_TEST(finding(box, "processes").find("'" + unit + "': " + named) != std::string::npos);
        ::kill(static_cast<pid_t>(std::stol(pid)), SIGKILL);
        BOOST_TEST(wait_until([&] { return unit_member(box, unit, "detail") == "null"; }));
        BOOST_TEST(box.run({"stop", unit}).status == 0);
        BOOST_TEST(finding(box, "processes").find("none is left") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(U15_what_a_shutdown_could_not_end_is_told_listed_and_ended_by_the_next_daemon) {
    sandbox box;
    // The main process ends with its daemon, its child does not.
    box.config(service("s", "sleep 1001 & echo $! > child; exec sleep 1000",
                       "stop = { timeout = \"100ms\" }\nkill = \"group\""));
    run_options options;
    options.in_child = [] {
        fail_syscall(__NR_kill, EPERM);
        fail_syscall(__NR_pidfd_send_signal, EPERM);
    };
    BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto child = static_cast<pid_t>(std::stol(slurp(box.project() + "/child")));
    const auto ended = box.run({"shutdown"});
    BOOST_TEST(ended.status == 1, ended.text());
    BOOST_TEST(ended.err.find(" (sleep) is left and could not be ended, and 1 more\n") != std::string::npos,
               ended.err);
    BOOST_TEST(finding(box, "processes")
                   .find(fmt::format("left of a daemon that is gone: 's': pid {} (sleep)", child)) !=
               std::string::npos);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1u; }));
    BOOST_TEST(finding(box, "processes").find("none is left") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(U45_a_shutdown_that_needed_SIGKILL_says_so) {
    sandbox box;
    box.config(service("s", "trap '' TERM; echo up; while :; do sleep 0.05; done",
                       "ready = { log = \"up\" }\nstop = { timeout = \"300ms\" }") +
               service("good", "exec sleep 1000"));
    const std::string note =
        "hob: 's' was killed: it did not end within 300ms of SIGTERM; stop.timeout and stop.signal change "
        "that\n";
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto ended = box.run({"shutdown"});
    BOOST_TEST(ended.status == 0);
    BOOST_TEST(ended.err == note);
    // Who kills at once, or has stopped the unit before, has asked for it.
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_TEST(box.run({"shutdown", "--now"}).err.empty());
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_REQUIRE(box.run({"stop"}).status == 0);
    const auto json = box.run({"shutdown", "--json"});
    BOOST_TEST(json.err.empty());
    BOOST_TEST(!json_at(json.out, "/units").has_value());
}

BOOST_AUTO_TEST_CASE(U45_a_stop_of_a_worker_or_a_task_that_needed_SIGKILL_says_so) {
    const std::string stubborn =
        "run = [\"/bin/bash\", \"-c\", '''trap \"\" TERM; while :; do sleep 0.05; done''']\n"
        "stop = { timeout = \"200ms\" }\n";
    const std::string note =
        "killed: it did not end within 200ms of SIGTERM; stop.timeout and stop.signal change that";
    for (const std::string unit : {"w", "t"}) {
        sandbox box;
        box.config("[worker.w]\nprotocol = \"lines\"\n" + stubborn + "[task.t]\n" + stubborn);
        const std::vector<std::string> start = unit == "t" ? std::vector<std::string>{"run", "--detach", "t"}
                                                           : std::vector<std::string>{"start", unit};
        BOOST_REQUIRE(box.run(start).status == 0);
        const auto ignores = [&] {
            const auto pid = unit_member(box, unit, "pid");
            if (pid == "null") return false;
            const auto mask = proc_status(static_cast<pid_t>(std::stol(pid)), "SigIgn");
            return !mask.empty() && (std::stoull(mask, nullptr, 16) & (1u << (SIGTERM - 1))) != 0;
        };
        BOOST_REQUIRE(wait_until(ignores));
        const auto stopped = box.run({"stop", unit});
        BOOST_TEST(stopped.status == 0);
        BOOST_TEST(stopped.err == "hob: '" + unit + "' was " + note + "\n");
        BOOST_TEST(unit_member(box, unit, "detail") == note);
        if (unit == "t") {
            const auto runs = box.run({"runs", "t", "--json"});
            BOOST_TEST(json_at(runs.out, "/0/cause").value_or("").find(note) != std::string::npos, runs.out);
        }
    }
}

BOOST_AUTO_TEST_CASE(U45_section_5_6_every_client_is_told_which_units_ended_badly) {
    sandbox box;
    box.config(service("s", "trap '' TERM; echo up; while :; do sleep 0.05; done",
                       "ready = { log = \"up\" }\nstop = { timeout = \"100ms\" }"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    raw_client client(box.socket());
    client.request("1", "hob.shutdown");
    std::string farewell;
    while (const auto line = client.line()) {
        if (line->find("\"hob.farewell\"") != std::string::npos) farewell = *line;
    }
    BOOST_TEST(json_at(farewell, "/params/units/0/name").value_or("") == "s");
    BOOST_TEST(json_at(farewell, "/params/units/0/exit").value_or("") == "signal 9");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U40_children_of_a_worker_that_ended_by_itself_get_the_stop_signal_and_their_last_words) {
    sandbox box;
    box.config(
        "[worker.w]\nprotocol = \"lines\"\nrun = [\"/bin/bash\", \"-c\", '''\n"
        "(trap \"echo saving >&2; sleep 0.3; echo done >&2; echo done > saved; exit\" TERM\n"
        " : > up; while :; do sleep 0.05; done) & exec cat''']\n");
    BOOST_REQUIRE(box.run({"start", "w"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/up"); }));
    ::kill(static_cast<pid_t>(std::stol(unit_member(box, "w", "pid"))), SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "w", "state") == "failed"; }));
    BOOST_TEST(slurp(box.project() + "/saved") == "done\n");
    const auto logs = box.run({"logs", "--raw", "w"}).out;
    BOOST_TEST(logs.find("saving\ndone\n") != std::string::npos, logs);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_SUITE_END()
