// The daemon and its units inherit nothing of the caller that must not be inherited.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "harness/sandbox.hpp"
#include "util/proc.hpp"

using namespace hob::test;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777u : 0u;
}

std::string limits_line(pid_t pid, const std::string& name) {
    const std::string text = slurp("/proc/" + std::to_string(pid) + "/limits");
    const auto at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// Soft and hard value: the words after the name.
std::pair<std::string, std::string> limit_of(pid_t pid, const std::string& name) {
    char soft[32] = "";
    char hard[32] = "";
    std::sscanf(limits_line(pid, name).c_str() + name.size(), "%31s %31s", soft, hard);
    return {soft, hard};
}

// SigIgn without 32 and 33, which belong to libc and cannot be set through it.
unsigned long long ignored_by(pid_t pid) {
    return std::strtoull(proc_status(pid, "SigIgn").c_str(), nullptr, 16) & ~0x180000000ULL;
}

int niceness(pid_t pid) { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)); }

pid_t worker_pid(sandbox& box) { return std::atoi(box.run({"call", "echo", "pid"}).out.c_str()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_clean_room)

BOOST_AUTO_TEST_CASE(L19_the_callers_umask_does_not_matter) {
    for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
        sandbox box;
        box.config(echo_worker());
        run_options options;
        options.in_child = [mask] { ::umask(mask); };
        BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}, options).status == 0);
        BOOST_TEST(mode_of(box.runtime()) == 0700u);
        BOOST_TEST(mode_of(box.socket()) == 0600u);
        BOOST_TEST(mode_of(box.pid_file()) == 0600u);
        BOOST_TEST(mode_of(box.page()) == 0600u);
        BOOST_TEST(mode_of(box.state_dir()) == 0700u);
        for (const auto& entry : std::filesystem::recursive_directory_iterator(box.state_dir())) {
            BOOST_TEST((mode_of(entry.path().string()) & 077u) == 0u, entry.path().string());
        }
        BOOST_TEST(proc_status(box.daemon_pid(), "Umask") == "0077");
    }
}

BOOST_AUTO_TEST_CASE(L19_signals_that_the_caller_ignores_or_blocks_are_normal_again) {
    sandbox box;
    box.config(echo_worker());
    run_options options;
    options.in_child = [] {
        ::signal(SIGCHLD, SIG_IGN);
        ::signal(SIGPIPE, SIG_IGN);
        ::signal(SIGINT, SIG_IGN);
        ::signal(SIGHUP, SIG_IGN);
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_BLOCK, &all, nullptr);
    };
    const auto call = box.run({"call", "echo", "pid"}, options);
    BOOST_REQUIRE_MESSAGE(call.status == 0, call.text());
    const pid_t worker = std::atoi(call.out.c_str());
    BOOST_TEST(proc_status(worker, "SigBlk") == "0000000000000000");
    BOOST_TEST(ignored_by(worker) == 0u);
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(daemon > 0);
    ::kill(daemon, SIGTERM);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }));
}

BOOST_AUTO_TEST_CASE(L19_few_descriptors_are_the_callers_limit_not_the_daemons) {
    sandbox box;
    box.config(echo_worker());
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    run_options options;
    options.in_child = [before] {
        const rlimit few{16, before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
    };
    const auto call = box.run({"call", "echo", "pid"}, options);
    BOOST_REQUIRE_MESSAGE(call.status == 0, call.text());
    const auto daemon = limit_of(box.daemon_pid(), "Max open files");
    BOOST_TEST(daemon.first == daemon.second);
    BOOST_TEST(limit_of(worker_pid(box), "Max open files").second == daemon.second);
}

BOOST_AUTO_TEST_CASE(L19_units_get_the_callers_descriptor_limit_back) {
    sandbox box;
    box.config(echo_worker());
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    run_options options;
    options.in_child = [before] {
        const rlimit some{1000, before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &some);
    };
    BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
    BOOST_TEST(limit_of(worker_pid(box), "Max open files").first == "1000");
}

BOOST_AUTO_TEST_CASE(L19_a_hard_descriptor_limit_of_16_is_enough_to_answer_or_said) {
    sandbox box;
    run_options options;
    options.in_child = [] {
        const rlimit few{16, 16};
        ::setrlimit(RLIMIT_NOFILE, &few);
    };
    const auto ping = box.run({"ping"}, options);
    BOOST_TEST((ping.status == 0 || ping.err.starts_with("hob: cannot ")), ping.text());
    BOOST_TEST(box.run({"status", "--json"}).elapsed < 5s);
}

BOOST_AUTO_TEST_CASE(L19_with_sigchld_ignored_in_the_caller_every_exit_is_still_known) {
    sandbox box;
    box.config(echo_worker() + "[worker.dies]\nrun = \"exit 3\"\nprotocol = \"lines\"\n");
    run_options options;
    options.in_child = [] { ::signal(SIGCHLD, SIG_IGN); };
    const auto died = box.run({"call", "dies", "x"}, options);
    BOOST_TEST(died.err.find("exited with status 3") != std::string::npos, died.text());
    BOOST_TEST(box.run({"call", "echo", "die"}).err.find("signal 9") != std::string::npos);
    BOOST_TEST(ignored_by(box.daemon_pid()) == ((1ULL << (SIGPIPE - 1)) | (1ULL << (SIGXFSZ - 1))));
    BOOST_TEST(ignored_by(worker_pid(box)) == 0u);
    // A process that has left its session and lost its parent becomes a child of the daemon, which reaps it.
    BOOST_REQUIRE(box.run({"call", "echo", "escape"}, options).status == 0);
    BOOST_TEST(box.run({"shutdown"}, options).status == 0);
    // A failing start is reported with its reason, whoever reaps the daemon.
    box.config("[worker.w\n");
    const auto failed = box.run({"ping"}, options);
    BOOST_TEST(failed.status == 2, failed.text());
    BOOST_TEST(failed.err.find("hob.toml:1:") != std::string::npos, failed.text());
}

BOOST_AUTO_TEST_CASE(L19_nice_19_does_not_stay_where_the_kernel_lets_it_be_undone) {
    if (!require_root()) return;
    sandbox box;
    box.config(echo_worker());
    run_options options;
    options.in_child = [] { ::setpriority(PRIO_PROCESS, 0, 19); };
    const auto call = box.run({"call", "echo", "pid"}, options);
    BOOST_REQUIRE_MESSAGE(call.status == 0, call.text());
    BOOST_TEST(niceness(box.daemon_pid()) == 0);
    BOOST_TEST(niceness(std::atoi(call.out.c_str())) == 0);
    // A restart from there does not bring it back.
    BOOST_REQUIRE(box.run({"restart", "echo"}, options).status == 0);
    BOOST_TEST(niceness(worker_pid(box)) == 0);
}

BOOST_AUTO_TEST_CASE(L19_where_nice_19_stays_everything_works_and_doctor_says_so) {
    if (!require_root()) return;
    sandbox_options nobody;
    nobody.uid = 12345;
    sandbox box(nobody);
    run_options options;
    options.in_child = [] {
        const rlimit none{0, 0};  // no nice value below 20 - 0 for who is not root
        ::setrlimit(RLIMIT_NICE, &none);
        ::setpriority(PRIO_PROCESS, 0, 19);
    };
    const auto doctor = box.run({"doctor", "--json"}, options);
    BOOST_TEST(doctor.out.find("nice 19 here, which a daemon started from here keeps") != std::string::npos,
               doctor.text());
    const auto ping = box.run({"ping"}, options);
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(niceness(box.daemon_pid()) == 19);
}

BOOST_AUTO_TEST_CASE(L19_session_terminal_directory_and_descriptors_are_its_own) {
    sandbox box;
    box.write("kept.txt", "x");
    const auto file = hob::util::open_file(box.project() + "/kept.txt", O_RDONLY);
    run_options options;
    options.fds = {{3, file.get()}, {7, file.get()}, {200, file.get()}};
    BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
    const pid_t daemon = box.daemon_pid();
    const std::string proc = "/proc/" + std::to_string(daemon);
    BOOST_TEST(hob::util::read_proc_stat(daemon)->session == box.keeper_pid());
    BOOST_TEST(std::filesystem::read_symlink(proc + "/cwd").string() == "/");
    for (const char* standard : {"/fd/0", "/fd/1", "/fd/2"}) {
        BOOST_TEST(std::filesystem::read_symlink(proc + standard).string() == "/dev/null");
    }
    for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
        std::error_code closed_meanwhile;
        const std::string target = std::filesystem::read_symlink(entry, closed_meanwhile).string();
        BOOST_TEST(target != box.project() + "/kept.txt");
    }
    BOOST_TEST(hob::util::read_proc_stat(daemon)->comm == "hob");
}

BOOST_AUTO_TEST_CASE(L19_a_deleted_working_directory_is_no_obstacle) {
    sandbox box;
    const auto result =
        box.shell("mkdir gone && cd gone && rmdir ../gone && hob -C '" + box.project() + "' ping");
    BOOST_TEST(result.status == 0, result.text());
    const auto lost = box.shell("mkdir gone2 && cd gone2 && rmdir ../gone2 && hob status; echo $?");
    BOOST_TEST(lost.elapsed < 5s);
    BOOST_TEST(!lost.out.empty());
}

BOOST_AUTO_TEST_CASE(L19_marks_of_an_outer_unit_are_not_passed_on) {
    sandbox box;
    box.config(echo_worker());
    run_options options;
    options.env = {{"HOB_UNIT", "outer"}, {"HOB_RUN", "12"}, {"PLAIN", "kept"}};
    BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
    BOOST_TEST(box.run({"call", "echo", "env", "\"HOB_UNIT\""}).out == "\"echo\"\n");
    BOOST_TEST(box.run({"call", "echo", "env", "\"HOB_RUN\""}).out == "null\n");
    BOOST_TEST(box.run({"call", "echo", "env", "\"PLAIN\""}).out == "\"kept\"\n");
}

BOOST_AUTO_TEST_CASE(L19_a_worker_inherits_nothing_but_its_three_descriptors) {
    sandbox box;
    box.config(echo_worker());
    const pid_t worker = worker_pid(box);
    BOOST_REQUIRE(worker > 0);
    BOOST_TEST(open_descriptors(worker) == 3);
    BOOST_TEST(ignored_by(worker) == 0u);
    BOOST_TEST(proc_status(worker, "SigBlk") == "0000000000000000");
}

BOOST_AUTO_TEST_SUITE_END()
