// Services with `tty = true`, and `hob attach` to them: on real terminals.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/services.hpp"
#include "harness/private_tmpfs.hpp"
#include "harness/sandbox.hpp"
#include "harness/terminal.hpp"

using namespace hob::test;

namespace {

const std::string leave_key = "\x1d";
const std::string ctrl_c = "\x03";

// An interactive shell, with a prompt that is easy to find.
std::string shell(const std::string& name = "sh", const std::string& more = {}) {
    return "[service." + name +
           "]\nrun = [\"/bin/bash\", \"--norc\", \"--noprofile\", \"-i\"]\ntty = true\n" +
           "env = { PS1 = '> ', HISTFILE = '' }\n" + more + "\n";
}

std::string script(const std::string& name, const std::string& text, const std::string& more = {}) {
    return service(name, text, "tty = true\n" + more);
}

std::string log_of(sandbox& box, const std::string& unit) {
    return box.run({"logs", unit, "--raw", "-n", "all"}).out;
}

bool wait_for_log(sandbox& box, const std::string& unit, const std::string& text) {
    return wait_until([&] { return log_of(box, unit).find(text) != std::string::npos; });
}

struct with_shell {
    sandbox box;
    explicit with_shell(const std::string& config = shell()) {
        box.config(config);
        box.set_env("TERM", "xterm-256color");
    }
    void start(const std::string& name = "sh") {
        const auto started = box.run({"start", name});
        BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(service_terminal)

BOOST_AUTO_TEST_CASE(it_runs_on_a_terminal_of_24_by_80_until_somebody_is_attached) {
    sandbox box;
    box.config(script("s",
                      "test -t 0 && test -t 1 && test -t 2 && echo all; tty; stty size; echo $TERM; "
                      "ps -o tpgid= -o pgid= -o sid= -p $$ | tr -s ' '; echo END; exec sleep 1000") +
               script("own", "echo $TERM; exec sleep 1000", "env = { TERM = 'dumb' }"));
    BOOST_TEST(box.run({"start", "s", "own"}).status == 0);
    BOOST_TEST(wait_for_log(box, "s", "END"));
    const std::string log = log_of(box, "s");
    BOOST_TEST(log.find("all\r\n/dev/pts/") != std::string::npos, log);
    BOOST_TEST(log.find("24 80\r\nxterm-256color\r\n") != std::string::npos, log);
    const std::string pid = unit_member(box, "s", "pid");
    BOOST_TEST(log.find(pid + " " + pid + " " + pid + "\r\n") != std::string::npos, log);
    BOOST_TEST(wait_for_log(box, "own", "dumb\r\n"));
}

BOOST_FIXTURE_TEST_CASE(keys_go_to_the_program_and_a_key_leaves_it, with_shell) {
    start();
    terminal_program person(box, {"attach", "sh"});
    person.until("attached to 'sh'; Ctrl-] leaves");
    person.until("> ");
    person.type("stty size; echo $((6 * 7))\n");
    person.until("30 100\r\n42\r\n");
    person.resize(40, 120);
    person.type("sleep 1000\n");
    BOOST_TEST(wait_until(
        [&] { return box.shell("pgrep -s " + unit_member(box, "sh", "pid") + " sleep").status == 0; }));
    person.type(ctrl_c);
    person.until("> ");
    person.type("echo status $?; stty size\n");
    person.until("status 130\r\n40 120\r\n");
    person.type("half" + leave_key);
    BOOST_TEST(person.wait() == 0);
    BOOST_TEST(person.shown().find("[hob] left 'sh'\r\n") != std::string::npos, person.shown());
    BOOST_TEST(person.restored());
    BOOST_TEST(unit_member(box, "sh", "state") == "ready");
    const std::string log = log_of(box, "sh");
    BOOST_TEST(log.find("42\r\n") != std::string::npos, log);
    BOOST_TEST(log.find("status 130\r\n") != std::string::npos, log);
}

BOOST_FIXTURE_TEST_CASE(terminals_that_report_keys_as_sequences_leave_by_the_same_key, with_shell) {
    start();
    for (const std::string key : {"\x1b[93;5u", "\x1b[27;5;93~"}) {
        terminal_program person(box, {"attach", "sh"});
        person.until("leaves");
        person.type(key);
        BOOST_TEST(person.wait() == 0);
        BOOST_TEST(person.restored());
    }
}

BOOST_FIXTURE_TEST_CASE(several_see_the_same_and_the_one_that_typed_last_has_the_size, with_shell) {
    start();
    terminal_program first(box, {"attach", "sh"}, 30, 100);
    first.until("> ");
    first.type("stty size; echo first-$((1 + 1))\n");
    first.until("30 100\r\nfirst-2\r\n");
    terminal_program second(box, {"attach", "sh"}, 50, 140);
    // The last screenful.
    second.until("30 100\r\nfirst-2\r\n");
    second.type("stty size\n");
    second.until("50 140\r\n");
    first.until("50 140\r\n");
    first.type("stty size\n");
    first.until("30 100\r\n");
    second.until("30 100\r\n");
    first.type(leave_key);
    BOOST_TEST(first.wait() == 0);
    second.type("stty size\n");
    second.until("50 140\r\n");
}

BOOST_AUTO_TEST_CASE(a_shell_that_misses_a_hang_up_gets_another) {
    sandbox box;
    box.config(script("s",
                      "n=0; trap '' TERM; trap 'n=$((n + 1)); test $n -lt 2 || exit 0' HUP; echo up; "
                      "while :; do sleep 0.05; done",
                      "ready = { log = 'up' }\n"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.text().find("killed") == std::string::npos, stopped.text());
    BOOST_TEST(unit_member(box, "s", "exit") == "0");
}

BOOST_FIXTURE_TEST_CASE(an_attachment_survives_restarts_and_ends_with_the_service, with_shell) {
    start();
    terminal_program person(box, {"attach", "sh"});
    person.until("> ");
    const std::string before = unit_member(box, "sh", "pid");
    BOOST_TEST(box.run({"restart", "sh"}).status == 0);
    person.until("'sh' starts again");
    person.until("> ");
    person.type("stty size; echo pid-$$\n");
    person.until("30 100\r\npid-" + unit_member(box, "sh", "pid") + "\r\n");
    BOOST_TEST(unit_member(box, "sh", "pid") != before);
    // A crash.
    person.type("kill -9 $$\n");
    person.until("'sh' does not run: was killed by signal 9 (KILL); tried again in");
    person.until("'sh' starts again");
    person.until("> ");
    BOOST_TEST(box.run({"stop", "sh"}).status == 0);
    person.until("'sh' has stopped");
    BOOST_TEST(person.wait() == 0);
    BOOST_TEST(person.restored());
    const auto stopped = box.run({"attach", "sh"});
    BOOST_TEST(stopped.status == 1);
    BOOST_TEST(stopped.err == "hob: cannot attach 'sh': it is stopped\nhint: hob start sh\n");
}

BOOST_AUTO_TEST_CASE(the_terminal_is_restored_however_the_attachment_ends) {
    // It switches on what a program on the whole screen does.
    with_shell with(
        script("s", "printf '\\033[?1049h\\033[?1000h\\033[?2004h\\033[?25l\\033=up\\n'; exec sleep 1000"));
    with.start("s");
    const std::string undone = "\x1b>\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";
    for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
        terminal_program person(with.box, {"attach", "s"});
        person.until("\x1b[?1049h");
        BOOST_TEST(wait_until([&] { return !person.restored(); }));
        person.until("\x1b[2J");
        person.signal(number);
        BOOST_TEST(person.wait() == 128 + number);
        BOOST_TEST(person.restored());
        BOOST_TEST(person.shown().find(undone) != std::string::npos, person.shown());
    }
    for (const bool killed : {false, true}) {
        with.start("s");
        terminal_program person(with.box, {"attach", "s"});
        person.until("\x1b[2J");
        if (killed) {
            ::kill(with.box.daemon_pid(), SIGKILL);
            BOOST_TEST(person.wait() == 3);
            BOOST_TEST(person.shown().find("cannot attach 's': the daemon ended") != std::string::npos);
        } else {
            const auto ended = with.box.run({"shutdown"});
            BOOST_TEST(ended.elapsed < 4s, ended.text());
            BOOST_TEST(person.wait() == 1);
            BOOST_TEST(person.shown().find("cannot attach 's': the daemon is shutting down") !=
                       std::string::npos);
        }
        BOOST_TEST(person.restored());
        BOOST_TEST(person.shown().find(undone) != std::string::npos, person.shown());
    }
}

BOOST_FIXTURE_TEST_CASE(a_client_that_was_stopped_takes_the_terminal_again, with_shell) {
    start();
    terminal_program person(box, {"attach", "sh"});
    person.until("> ");
    person.signal(SIGSTOP);
    BOOST_TEST(wait_until([&] { return proc_status(person.pid(), "State").starts_with("T"); }));
    person.restore();  // as the shell does
    person.resize(33, 99);
    person.signal(SIGCONT);
    BOOST_TEST(wait_until([&] { return !person.restored(); }));
    person.type("stty size\n");
    person.until("33 99\r\n");
    person.close();
    BOOST_TEST(person.wait() != 0);
    BOOST_TEST(unit_member(box, "sh", "state") == "ready");
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_stalls_nobody_and_learns_what_it_missed) {
    with_shell with(script("flood", "exec yes a-line-of-a-flood"));
    with.start("flood");
    terminal_program slow(with.box, {"attach", "flood"});
    slow.until("flood");
    slow.signal(SIGSTOP);
    terminal_program fast(with.box, {"attach", "flood"});
    fast.until("flood");
    const auto written = [&] {
        return json_at(with.box.run({"status", "flood", "--json"}).out, "/units/0/cpu_ms");
    };
    const auto before = written();
    BOOST_TEST(wait_until([&] { return written() != before; }));
    BOOST_TEST(with.box.run({"ping"}).elapsed < 2s);
    fast.type(leave_key);
    BOOST_TEST(fast.wait() == 0);
    slow.signal(SIGCONT);
    slow.until("bytes are left out: this terminal reads too slowly");
    slow.signal(SIGSTOP);
    const auto stopped = with.box.run({"stop", "flood"});
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(stopped.elapsed < 4s);
    slow.signal(SIGCONT);
    slow.until("'flood' has stopped");
    BOOST_TEST(slow.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_program_on_the_whole_screen_draws_it_for_each_that_comes) {
    // It draws when the size changes, and only then.
    with_shell with(script("s",
                           "trap 'printf \"drawn %s;\" \"$(stty size)\"' WINCH; printf '\\033[?1049h'; "
                           "while :; do read -r -t 1000 line; done"));
    with.start("s");
    for (int i = 0; i < 2; ++i) {
        terminal_program person(with.box, {"attach", "s"}, 30, 100);
        person.until("\x1b[?1049h");
        person.until("drawn 30 100;");
        person.type(leave_key);
        BOOST_TEST(person.wait() == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_is_shown_late_is_text_and_colours_and_asks_the_terminal_nothing) {
    with_shell with(
        script("s", "printf '\\033[31mred\\033[0m\\033[6n\\033[2J\\033]0;title\\a end\\n'; exec sleep 1000"));
    with.start("s");
    BOOST_TEST(wait_for_log(with.box, "s", "end"));
    terminal_program person(with.box, {"attach", "s"});
    const std::string seen = person.until(" end");
    BOOST_TEST(seen.ends_with("\x1b[31mred\x1b[0m end"), seen);
}

BOOST_FIXTURE_TEST_CASE(lines_from_a_pipe_are_typed, with_shell) {
    start();
    run_options piped;
    piped.input = "x=41\necho $((x + 1))\n";
    const auto sent = box.run({"attach", "sh"}, piped);
    BOOST_TEST(sent.status == 0, sent.text());
    BOOST_TEST(sent.out.find("42\r\n") != std::string::npos, sent.out);
    BOOST_TEST(sent.err == "");
    BOOST_TEST(unit_member(box, "sh", "state") == "ready");
}

BOOST_AUTO_TEST_CASE(a_stop_ends_all_jobs_of_the_session_and_shells_that_ignore_the_signal) {
    with_shell with(shell());
    with.start();
    const std::string pid = unit_member(with.box, "sh", "pid");
    terminal_program person(with.box, {"attach", "sh"});
    person.until("> ");
    person.type("(trap 'echo term >>" + with.box.project() +
                "/seen; exit' TERM; while :; do sleep 0.05; done) &\n");
    person.until("> ");
    person.type("sleep 1000\n");
    BOOST_TEST(wait_until([&] { return with.box.shell("pgrep -c -s " + pid).out > "2"; }));
    const auto stopped = with.box.run({"stop", "sh"});
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(stopped.out.find("killed") == std::string::npos, stopped.out);
    BOOST_TEST(stopped.elapsed < 4s);
    BOOST_TEST(slurp(with.box.project() + "/seen") == "term\n");
    BOOST_TEST(with.box.shell("pgrep -s " + pid).out == "");
}

BOOST_AUTO_TEST_CASE(a_process_that_keeps_the_terminal_open_holds_nothing_up) {
    with_shell with(script("s", "(trap '' HUP TERM; exec sleep 1000) & echo up; sleep 0.3; exit 3",
                           "restart = 'never'\nstop = { timeout = '200ms' }"));
    const auto started = with.box.run({"start", "s"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(wait_until([&] { return unit_member(with.box, "s", "state") == "failed"; }));
    BOOST_TEST(log_of(with.box, "s").starts_with("up\r\n"));
}

BOOST_AUTO_TEST_CASE(a_program_may_close_its_terminal_and_open_it_again) {
    with_shell with(script(
        "s", "exec </dev/null >/dev/null 2>&1; sleep 0.2; exec >/dev/tty; echo again; exec sleep 1000"));
    with.start("s");
    BOOST_TEST(wait_for_log(with.box, "s", "again\r\n"));
}

BOOST_AUTO_TEST_CASE(without_a_free_terminal_the_start_fails_and_says_so) {
    if (!require_root()) return;
    with_shell with(shell("one") + shell("two", "restart = 'never'"));
    const auto seen = with.box.shell(
        "unshare -m bash -c 'mount -t devpts -o newinstance,max=1,ptmxmode=0666 devpts /dev/pts && "
        "mount --bind /dev/pts/ptmx /dev/ptmx && hob start one && hob start two; hob shutdown'");
    if (seen.err.find("mount:") != std::string::npos) return not_possible_here(seen.err);
    BOOST_TEST(
        seen.err.find("cannot start 'two': cannot make a terminal: no pseudo-terminal is free: the limit "
                      "is kernel.pty.max") != std::string::npos,
        seen.text());
}

BOOST_FIXTURE_TEST_CASE(a_process_of_the_service_is_not_attached_to_itself, with_shell) {
    start();
    terminal_program person(box, {"attach", "sh"});
    person.until("> ");
    person.type(box.binary() + " attach sh\n");
    person.until("cannot attach 'sh': this is a process of it");
}

BOOST_AUTO_TEST_CASE(units_without_either_key_are_refused_with_the_key) {
    with_shell with(service("plain", "exec sleep 1000") + "[task.t]\nrun = 'true'\n");
    with.start("plain");
    const auto plain = with.box.run({"attach", "plain"});
    BOOST_TEST(plain.status == 2);
    BOOST_TEST(plain.err ==
               "hob: cannot attach 'plain': it has neither a terminal nor an open standard input\n"
               "hint: in [service.plain]: tty = true for a terminal, or stdin = \"open\"\n");
    const auto task = with.box.run({"attach", "t"});
    BOOST_TEST(task.status == 2);
    BOOST_TEST(task.err ==
               "hob: cannot attach 't': it is a task; workers and services can be attached to\n"
               "hint: hob run -t t runs it on this terminal\n");
    // The key comes later.
    with.box.config(service("plain", "exec sleep 1000", "tty = true") + "[task.t]\nrun = 'true'\n");
    BOOST_TEST(with.box.run({"start", "t"}).status == 0);
    const auto before = with.box.run({"attach", "plain"});
    BOOST_TEST(
        before.err.find("as it was started\nhint: hob restart plain starts it as it is defined now\n") !=
            std::string::npos,
        before.err);
    BOOST_TEST(with.box.run({"restart", "plain"}).status == 0);
    terminal_program person(with.box, {"attach", "plain"});
    person.until("leaves");
    // And goes again.
    with.box.config(service("plain", "exec sleep 1000"));
    BOOST_TEST(with.box.run({"reload"}).status == 0);
    BOOST_TEST(person.wait() == 0);
    BOOST_TEST(person.restored());
}

BOOST_AUTO_TEST_SUITE_END()
