// System calls that the kernel lacks or a filter refuses, by test/programs/deny.cpp.

#include <signal.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <set>
#include <sstream>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr const char* deny = HOB_PROGRAMS "/deny";
constexpr const char* every_new_call = "every call from number 424 on";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

std::vector<std::string> denied_calls(sandbox& box) {
    run_options options;
    options.program = deny;
    return lines_of(box.run({"--list"}, options).out);
}

outcome run_without(sandbox& box, const std::string& call, const std::string& error,
                    const std::vector<std::string>& args) {
    run_options options;
    options.program = deny;
    std::vector<std::string> words{call, error, box.binary()};
    words.insert(words.end(), args.begin(), args.end());
    return box.run(words, options);
}

// A service that starts a second process, which ignores SIGTERM.
constexpr const char* service = R"(
[service.web]
run = ["sh", "-c", "trap '' TERM; sleep 1000 & trap - TERM; exec sleep 1000"]
stop.timeout = "300ms"
)";

std::string project() {
    return echo_worker() + service + "\n[task.hello]\nrun = [\"sh\", \"-c\", \"echo hello; exit 3\"]\n";
}

void use_everything(sandbox& box, const std::string& call, const std::string& error) {
    const auto run = [&](const std::vector<std::string>& args, const std::string& expected, int status = 0) {
        const auto done = run_without(box, call, error, args);
        BOOST_TEST_CONTEXT(args.front() << ": " << done.text()) {
            BOOST_TEST(done.status == status);
            BOOST_TEST(done.out.find(expected) != std::string::npos);
        }
    };
    run({"ping"}, "pong");
    run({"run", "hello"}, "hello\n", 3);
    run({"start", "web"}, "ready");
    run({"call", "echo", "echo", "[1]"}, "[1]");
    run({"stop", "web"}, "stopped");
    BOOST_TEST(wait_until([&] { return box.processes().size() == 2; }));  // the daemon and the worker
    run({"shutdown"}, "has ended");
    BOOST_TEST(box.processes().empty());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fault_missing_calls)

BOOST_AUTO_TEST_CASE(L36_whatever_call_is_refused_and_however_all_verbs_work) {
    sandbox box;
    box.config(project());
    for (const auto& call : denied_calls(box)) {
        // Only the static binary has an SQLite that does without it.
        if (sanitized() && call == "fdatasync") continue;
        for (const char* error : {"ENOSYS", "EPERM", "EINVAL"}) {
            BOOST_TEST_CONTEXT(call << " fails with " << error) { use_everything(box, call, error); }
        }
    }
}

BOOST_AUTO_TEST_CASE(L36_the_page_of_requirements_lists_the_calls_of_this_test) {
    sandbox box;
    const auto calls = denied_calls(box);
    std::set<std::string> described;
    for (const auto& line : lines_of(slurp(HOB_SOURCE_DIR "/doc/requirements.md"))) {
        if (line == "## Files") break;
        if (!line.starts_with("| ") || line.starts_with("| call ")) continue;
        std::string cell = line.substr(2, line.find(" |", 2) - 2);
        std::erase(cell, '`');
        described.insert(cell);
    }
    BOOST_TEST(!calls.empty());
    BOOST_TEST(described == std::set<std::string>(calls.begin(), calls.end()),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(L36_doctor_names_what_is_refused) {
    sandbox box;
    const auto examine = [&](const std::string& call, const std::string& error) {
        return run_without(box, call, error, {"doctor", "-q"}).out;
    };
    for (const auto& call : denied_calls(box)) {
        for (const char* error : {"ENOSYS", "EPERM", "EINVAL"}) {
            const std::string told = examine(call, error);
            BOOST_TEST_CONTEXT(call << ", " << error << ": " << told) {
                if (call == "inotify_init1") {
                    BOOST_TEST(told.find("warn  inotify ") != std::string::npos);
                    continue;
                }
                BOOST_TEST(told.find("warn  system-calls ") != std::string::npos);
                BOOST_TEST(told.find(call == every_new_call ? "pidfd_open (" : call + " (") !=
                           std::string::npos);
            }
        }
    }
    BOOST_TEST(box.run({"doctor"}).out.find("ok    system-calls ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(L36_without_pidfds_a_killed_and_a_stopped_daemon_leave_nothing) {
    sandbox box;
    box.config(project());
    run_without(box, every_new_call, "EPERM", {"start", "web"});
    const pid_t killed = box.daemon_pid();
    BOOST_REQUIRE(killed > 0);
    ::kill(killed, SIGKILL);
    const auto next = run_without(box, every_new_call, "EPERM", {"ping"});
    BOOST_TEST_CONTEXT(next.text()) { BOOST_TEST(next.status == 0); }
    run_without(box, every_new_call, "EPERM", {"stop", "web"});
    const pid_t stopped = box.daemon_pid();
    BOOST_REQUIRE(stopped > 0);
    ::kill(stopped, SIGSTOP);
    const auto ended = run_without(box, every_new_call, "EPERM", {"shutdown", "--now"});
    BOOST_TEST_CONTEXT(ended.text()) { BOOST_TEST(ended.status == 0); }
    BOOST_TEST(!process_lives(stopped));
}

BOOST_AUTO_TEST_CASE(L36_L46_a_daemon_without_close_range_keeps_nothing_of_its_caller) {
    sandbox box;
    box.set_env("DENY", deny);
    const auto captured =
        box.shell("out=$(exec 3>&1 200>&1; \"$DENY\" close_range EPERM hob ping); echo \"got $out\"");
    BOOST_TEST_CONTEXT(captured.text()) { BOOST_TEST(captured.out.starts_with("got pong")); }
}

BOOST_AUTO_TEST_CASE(L47_without_proc_every_verb_ends_and_says_what_is_missing) {
    if (!require_root() || sanitized()) return;  // sanitizers need /proc themselves
    sandbox box;
    box.config("");
    const std::string hide =
        "unshare -m sh -c 'mount -t tmpfs none /proc && cd / && exec \"$@\"' sh hob -C " + box.project() +
        " ";
    for (const char* verb : {"ping", "run -- true", "daemon", "daemon --foreground"}) {
        const auto done = box.shell(hide + verb);
        BOOST_TEST_CONTEXT(verb << ": " << done.text()) {
            BOOST_TEST(done.status != 0);
            BOOST_TEST(done.err.find(box.project() + "': '/proc' is not mounted\nhint: mount") !=
                       std::string::npos);
        }
    }
    const auto doctor = box.shell(hide + "doctor");
    BOOST_TEST_CONTEXT(doctor.text()) {
        BOOST_TEST(doctor.status == 1);
        BOOST_TEST(doctor.out.find("FAIL  proc ") != std::string::npos);
        BOOST_TEST(doctor.out.find("ok    leftovers ") != std::string::npos);
    }
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto reached = box.shell(hide + "ping");
    BOOST_TEST_CONTEXT(reached.text()) { BOOST_TEST(reached.status == 0); }
}

BOOST_AUTO_TEST_CASE(L47_a_proc_of_another_pid_namespace_is_named_by_doctor_and_status) {
    if (!require_root()) return;
    sandbox box;
    box.config("");
    const auto inside =
        box.shell("unshare -pf --kill-child sh -c 'hob -C " + box.project() + " ping -q; hob -C " +
                  box.project() + " status; hob doctor; hob -C " + box.project() + " shutdown -q'");
    BOOST_TEST(inside.out.find("a /proc of another PID namespace") != std::string::npos, inside.text());
    BOOST_TEST(inside.out.find("FAIL  proc ") != std::string::npos, inside.text());
    const auto mounted = box.shell("unshare -pf --mount-proc --kill-child sh -c 'hob doctor'");
    BOOST_TEST(mounted.out.find("ok    proc ") != std::string::npos, mounted.text());
}

BOOST_AUTO_TEST_CASE(L47_a_directory_that_no_path_leads_to_is_named_and_no_other_is_taken_for_it) {
    if (!require_root()) return;
    sandbox box;
    box.config("");
    const std::string unmounted = "unshare -m sh -c 'mkdir -p m && mount -t tmpfs none m && mkdir -p m" +
                                  box.project() + " && cd m" + box.project() + " && umount -l " +
                                  box.project() + "/m && exec \"$@\"' sh hob ";
    for (const char* verb : {"-C . ping", "ping", "-C .. ping"}) {
        const auto done = box.shell(unmounted + verb);
        BOOST_TEST_CONTEXT(verb << ": " << done.text()) {
            BOOST_TEST(done.status != 0);
            BOOST_TEST(done.err.find("no path from the root directory leads to it") != std::string::npos);
        }
    }
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
