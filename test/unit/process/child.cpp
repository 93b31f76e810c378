#include "unit/process/child.hpp"
#include "unit/process/subreaper.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include "error.hpp"
#include "fixtures/run_loop.hpp"
#include "unit/process/environment.hpp"
#include "util/proc.hpp"

using hob::test::failure_of;
using hob::unit::child_options;
using hob::unit::exit_state;

namespace {

child_options shell(const std::string& script) {
    child_options options;
    options.unit = "x";
    options.argv = {"/bin/sh", "-c", script};
    options.environment = {"PATH=/usr/bin:/bin"};
    options.cwd = "/";
    return options;
}

exit_state exit_of(hob::test::run_loop& loop, const child_options& options) {
    hob::unit::child process(loop.executor(), options);
    const auto exit = loop.run(process.exited());
    process.reap();
    return exit.value();
}

// The output of the script.
std::string output_of(hob::test::run_loop& loop, child_options options) {
    auto ends = hob::util::make_pipe();
    options.output = ends.write.get();
    hob::unit::child process(loop.executor(), options);
    ends.write.reset();
    std::string bytes;
    char chunk[4096];
    for (ssize_t n = 0; (n = ::read(ends.read.get(), chunk, sizeof chunk)) > 0;) {
        bytes.append(chunk, static_cast<std::size_t>(n));
    }
    loop.run(process.exited());
    process.reap();
    return bytes;
}

hob::failure launch_failure_of(hob::test::run_loop& loop, const child_options& options) {
    hob::unit::child process(loop.executor(), options);
    return failure_of([&] { loop.run(process.launched()); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(child)

BOOST_AUTO_TEST_CASE(U08_every_exit_status_is_reported) {
    hob::test::run_loop loop;
    for (int code = 0; code < 256; ++code) {
        const auto exit = exit_of(loop, shell("exit " + std::to_string(code)));
        BOOST_REQUIRE(!exit.signalled);
        BOOST_REQUIRE(exit.number == code);
    }
}

BOOST_AUTO_TEST_CASE(U08_every_deadly_signal_is_reported) {
    hob::test::run_loop loop;
    for (int number = 1; number < 32; ++number) {
        if (number == SIGCHLD || number == SIGCONT || number == SIGSTOP || number == SIGTSTP ||
            number == SIGTTIN || number == SIGTTOU || number == SIGURG || number == SIGWINCH) {
            continue;
        }
        const auto exit =
            exit_of(loop, shell("ulimit -c 0; kill -" + std::to_string(number) + " $$; sleep 5"));
        BOOST_TEST(exit.signalled);
        BOOST_TEST(exit.number == number);
    }
}

BOOST_AUTO_TEST_CASE(a_strangers_wait_does_not_steal_the_status) {
    hob::test::run_loop loop;
    hob::unit::child process(loop.executor(), shell("exit 7"));
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
    hob::unit::subreaper::reap_orphans();
    BOOST_TEST(loop.run(process.exited())->number == 7);
    process.reap();
}

BOOST_AUTO_TEST_CASE(strangers_are_reaped_behind_a_known_zombie) {
    hob::test::run_loop loop;
    const hob::unit::subreaper reaper(loop.executor());
    hob::unit::child known(loop.executor(), shell("exit 0"));
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(known.pid()), &info, WEXITED | WNOWAIT);
    const pid_t orphan =
        static_cast<pid_t>(std::stol(output_of(loop, shell("sleep 0.1 >/dev/null & echo $!"))));
    loop.until([&] { return !hob::util::read_proc_stat(orphan).has_value(); });
    BOOST_TEST(hob::util::read_proc_stat(known.pid())->state == 'Z');
    known.reap();
}

BOOST_AUTO_TEST_CASE(L19_nothing_of_the_callers_state_leaks_into_a_child) {
    hob::test::run_loop loop;
    const auto old_mask = ::umask(0);
    sigset_t blocked, before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, &before);
    ::signal(SIGPIPE, SIG_IGN);
    auto options =
        shell("umask; grep -E '^Sig(Blk|Ign)' /proc/self/status; ulimit -n; nice; ls /proc/self/fd | wc -l");
    options.nofile = rlimit{123, 456};
    const std::string seen = output_of(loop, options);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::umask(old_mask);
    BOOST_TEST(seen ==
               "0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
               "123\n0\n4\n");
}

BOOST_AUTO_TEST_CASE(a_child_leads_its_own_session) {
    hob::test::run_loop loop;
    hob::unit::child process(loop.executor(), shell("exec sleep 100"));
    BOOST_TEST(loop.run(process.launched()));
    const auto stat = hob::util::read_proc_stat(process.pid());
    BOOST_TEST(stat->session == process.pid());
    BOOST_TEST(stat->pgrp == process.pid());
    BOOST_TEST(stat->start_time == process.start_time());
    BOOST_TEST(process.signal(SIGTERM));
    BOOST_TEST(loop.run(process.exited())->number == SIGTERM);
    process.reap();
    BOOST_TEST(!process.signal_group(SIGTERM));
}

BOOST_AUTO_TEST_CASE(a_failed_start_leaves_no_zombie_and_names_the_fault) {
    hob::test::run_loop loop;
    auto options = shell("");
    options.argv = {"/etc/passwd"};
    BOOST_TEST(launch_failure_of(loop, options).what() ==
               "cannot start 'x': its program '/etc/passwd': Permission denied");
    options.argv = {"/bin/true"};
    options.cwd = "/nowhere";
    BOOST_TEST(launch_failure_of(loop, options).what() ==
               "cannot start 'x': its directory '/nowhere': No such file or directory");
    errno = 0;
    BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);
    BOOST_TEST(errno == ECHILD);
}

BOOST_AUTO_TEST_CASE(the_path_is_that_of_the_units_environment) {
    hob::test::run_loop loop;
    auto options = shell("");
    options.argv = {"sh", "-c", "exit 4"};
    BOOST_TEST(exit_of(loop, options).number == 4);
    options.environment = {"PATH=/nowhere"};
    BOOST_TEST(launch_failure_of(loop, options).what() ==
               "cannot start 'x': its program 'sh' is not in PATH");
}

BOOST_AUTO_TEST_CASE(exits_are_told_in_words) {
    BOOST_TEST(hob::unit::exit_text({false, 3, false}) == "exited with status 3");
    BOOST_TEST(hob::unit::exit_text({true, SIGSEGV, true}) == "was killed by signal 11 (SEGV), core dumped");
    BOOST_TEST(hob::unit::exit_brief({true, 9, false}) == "signal 9");
}

BOOST_AUTO_TEST_CASE(U31_an_environment_has_the_variables_of_env_file_and_env_expanded) {
    const hob::test::scratch dir;
    hob::unit::unit_spec spec;
    spec.name = "x";
    spec.cwd = dir.path();
    spec.env_files = {{dir.path() + "/.env", true, {}}};
    spec.env = {{"URL", "http://${HOST}/$x"}, {"PATH", "bin:${PATH}"}};
    const auto value = [&](std::string_view key) {
        const auto all = hob::unit::unit_environment({"PATH=/bin", "HOST=base"}, spec, "key");
        return std::string(hob::unit::value_in(all, key));
    };
    BOOST_REQUIRE(
        hob::util::replace_file(spec.env_files.front().path, "HOST=${HOST}.file # c\nPATH='a b':\n"));
    BOOST_TEST(failure_of([&] { value("URL"); }).what() == "cannot start 'x': its env_file '" +
                                                               spec.env_files.front().path +
                                                               ":2': text after the closing quote");
    BOOST_REQUIRE(
        hob::util::replace_file(spec.env_files.front().path, "HOST=${HOST}.file # c\nPATH='/opt/a b'\n"));
    BOOST_TEST(value("URL") == "http://base.file/$x");
    BOOST_TEST(value("PATH") == "bin:/opt/a b");
    spec.env_files.front().text = "HOST=${NO}";
    BOOST_TEST(failure_of([&] { value("URL"); }).what() == "cannot start 'x': its variable 'HOST' in '" +
                                                               spec.env_files.front().path +
                                                               ":1' needs 'NO', which is not set");
    spec.env_files.front().text.reset();
    spec.env_files.front().path = dir.path() + "/none";
    BOOST_TEST(failure_of([&] { value("URL"); }).what() == "cannot start 'x': its env_file '" +
                                                               spec.env_files.front().path +
                                                               "': No such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()
