// Socket activation: a service manager listens at the socket and starts the daemon for whoever connects.

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "fixtures/socket_manager.hpp"
#include "harness/sandbox.hpp"
#include "util/fd.hpp"

using namespace hob::test;

namespace {

ino_t inode_of(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

bool is_down(const sandbox& box) { return box.daemon_pid() == 0; }

hob::util::unique_fd listen_at(const std::string& path) {
    hob::util::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    BOOST_REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    BOOST_REQUIRE(::listen(fd.get(), 8) == 0);
    return fd;
}

// A daemon in the foreground that is handed this descriptor, by a shell that becomes it.
background start_with(sandbox& box, int fd) {
    run_options options;
    options.program = "/bin/sh";
    options.fds = {{3, fd}};
    return box.start({"-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" daemon --foreground", box.binary()},
                     options);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation)

BOOST_AUTO_TEST_CASE(looking_verbs_start_nothing) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    BOOST_TEST(box.run({"status"}).status == 3);
    for (const char* verb :
         {"list", "prompt", "shutdown", "doctor", "logs", "runs", "stop", "reload", "check"})
        box.run({verb});
    box.run({"--no-spawn", "ping"});
    BOOST_TEST(box.run({"status"}).out.find("stopped") != std::string::npos);
    BOOST_TEST(manager.starts() == 0u, manager.log());
}

BOOST_AUTO_TEST_CASE(the_first_acting_verb_starts_one_daemon_through_the_manager) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    const ino_t before = inode_of(box.socket());
    std::vector<background> clients;
    for (int i = 0; i < 16; ++i)
        clients.push_back(box.start({"call", "echo", "echo", "\"hello\""}));
    for (auto& client : clients) {
        const auto done = client.wait();
        BOOST_TEST(done.status == 0, done.text());
        BOOST_TEST(done.out.find("hello") != std::string::npos);
    }
    BOOST_TEST(manager.starts() == 1u, manager.log());
    BOOST_TEST(box.daemon_starts() == 1);
    BOOST_TEST(manager.says("start " + std::to_string(box.keeper_pid())));
    const auto status = box.run({"--json", "status"});
    BOOST_TEST(json_at(status.out, "/daemon/pid").value_or("") == std::to_string(box.daemon_pid()));
    BOOST_TEST(inode_of(box.socket()) == before);
}

BOOST_AUTO_TEST_CASE(the_socket_outlives_a_shutdown_and_a_kill) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    const ino_t before = inode_of(box.socket());
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto ended = box.run({"shutdown"});
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(wait_until([&] { return manager.exits() == 1; }));
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(manager.starts() == 1u, manager.log());
    // The client sees the credentials of whoever listened: here those of the manager, and then of the dead
    // daemon.
    BOOST_TEST(box.run({"ping"}).status == 0);
    const pid_t first = box.daemon_pid();
    ::kill(first, SIGKILL);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_pid() != first);
    BOOST_TEST(manager.exits() == 1);
    box.kill_daemon_and_keeper();
    BOOST_TEST(wait_until([&] { return manager.exits() == 2; }));
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto again = box.run({"shutdown"});
    BOOST_TEST(again.status == 0, again.text());
    BOOST_TEST(wait_until([&] { return manager.exits() == 3; }));
    BOOST_TEST(manager.starts() == 3u, manager.log());
    BOOST_TEST(inode_of(box.socket()) == before);
}

BOOST_AUTO_TEST_CASE(a_restart_of_the_daemon_keeps_the_process_and_the_socket_of_the_manager) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    const pid_t first = box.daemon_pid();
    const auto done = box.run({"restart", "--daemon"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(box.daemon_pid() == first);
    BOOST_TEST(box.run({"call", "echo", "pid"}).status == 0);
    BOOST_TEST(manager.starts() == 1u, manager.log());
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(wait_until([&] { return manager.exits() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_reported_and_does_not_loop) {
    sandbox box;
    box.config("[worker.echo]\nrun = 3\n");
    socket_manager manager(box);
    const auto failed = box.run({"ping"});
    BOOST_TEST(failed.status == 2, failed.text());
    BOOST_TEST(failed.err.find("hob.toml:2:") != std::string::npos, failed.text());
    BOOST_TEST(wait_until([&] { return manager.exits() == manager.starts(); }));
    BOOST_TEST(manager.starts() <= 2u, manager.log());
    box.config(echo_worker());
    const auto mended = box.run({"ping"});
    BOOST_TEST(mended.status == 0, mended.text());
    BOOST_TEST(manager.says("start " + std::to_string(box.keeper_pid())), manager.log());
}

BOOST_AUTO_TEST_CASE(a_client_that_comes_during_a_shutdown_gets_the_next_daemon) {
    sandbox box;
    box.config(
        "[daemon]\nshutdown_timeout = \"20s\"\n[service.slow]\n"
        "run = ['sh', '-c', 'trap \"until [ -e go ]; do sleep 0.05; done; exit 0\" TERM; touch up; "
        "while :; do sleep 0.05; done']\nready = { exec = ['test', '-e', 'up'] }\nstop = { timeout = '20s' "
        "}\n");
    socket_manager manager(box);
    const auto started = box.run({"start", "slow"});
    BOOST_TEST(started.status == 0, started.text());
    const pid_t first = box.daemon_pid();
    auto ending = box.start({"shutdown"});
    BOOST_TEST(wait_until([&] { return manager.says("STOPPING=1"); }), manager.log());
    const auto looked = box.run({"status"});
    BOOST_TEST(looked.text().find("draining") != std::string::npos, looked.text());
    auto acting = box.start({"ping"});
    box.write("go", "");
    BOOST_TEST(ending.wait().status == 0);
    const auto served = acting.wait();
    BOOST_TEST(served.status == 0, served.text());
    BOOST_TEST(box.daemon_pid() != first);
    BOOST_TEST(manager.starts() == 2u, manager.log());
}

BOOST_AUTO_TEST_CASE(commands_around_the_idle_exit_never_fail) {
    sandbox box;
    box.config("[daemon]\nidle_timeout = \"20ms\"\n");
    socket_manager manager(box);
    for (int i = 0; i < scaled(60); ++i) {
        const auto done = box.run({"ping"});
        BOOST_TEST(done.status == 0, done.text());
        let_pass_randomly(60ms);
    }
    BOOST_TEST(manager.starts() > 1u);
}

BOOST_AUTO_TEST_CASE(a_slow_start_is_waited_for) {
    if (!require_program("strace")) return;
    sandbox box;
    box.config(echo_worker());
    // It holds the lock, and at its socket still listens the manager: longer than a greeting may take.
    socket_manager manager(box, {},
                           {"strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=listen", "-e",
                            "inject=listen:delay_enter=6s:when=1"});
    const auto done = box.run({"ping"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.elapsed > 5s, done.text());
    BOOST_TEST(manager.starts() == 1u, manager.log());
}

BOOST_AUTO_TEST_CASE(a_socket_of_another_path_is_not_taken) {
    sandbox box;
    box.config(echo_worker());
    const auto other = listen_at(box.root() + "/other.sock");
    auto daemon = start_with(box, other.get());
    BOOST_TEST(wait_until([&] { return exists(box.page()); }));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const auto done = daemon.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(
        done.err.find("is not used: it is bound to '" + box.root() + "/other.sock'") != std::string::npos,
        done.err);
    BOOST_TEST(!exists(box.socket()));
}

BOOST_AUTO_TEST_CASE(a_socket_whose_file_is_gone_is_replaced_by_a_bound_one) {
    sandbox box;
    box.config(echo_worker());
    BOOST_TEST(::mkdir(box.runtime().c_str(), 0700) == 0);
    const auto handed = listen_at(box.socket());
    ::unlink(box.socket().c_str());
    auto daemon = start_with(box, handed.get());
    BOOST_TEST(wait_until([&] { return exists(box.page()); }));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(slurp(box.daemon_log()).find("binds its own") != std::string::npos);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(box.socket()));
}

BOOST_AUTO_TEST_CASE(a_second_daemon_says_that_one_runs) {
    sandbox box;
    box.config(echo_worker());
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto handed = listen_at(box.root() + "/handed.sock");
    auto second = start_with(box, handed.get());
    const auto done = second.wait();
    BOOST_TEST(done.status == 3, done.text());
    BOOST_TEST(done.err.find("one is running already") != std::string::npos, done.err);
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_socket_that_a_manager_listens_at_is_not_taken_away) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    const ino_t before = inode_of(box.socket());
    const auto done = box.run({"daemon", "--foreground"});
    BOOST_TEST(done.status == 3, done.text());
    BOOST_TEST(done.err.find("something listens at it") != std::string::npos, done.err);
    BOOST_TEST(done.err.find("systemctl --user start hob-" + box.key()) != std::string::npos, done.err);
    BOOST_TEST(inode_of(box.socket()) == before);
    BOOST_TEST(manager.starts() == 0u);
    BOOST_TEST(is_down(box));
}

BOOST_AUTO_TEST_CASE(a_manager_that_starts_an_older_daemon_each_time_is_reported) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    run_options newer;
    newer.program = HOB_NEXT_BINARY;
    const auto done = box.run({"ping", "--json"}, newer);
    BOOST_TEST(done.status == 1, done.text());
    BOOST_TEST(json_at(done.err, "/error/code").value_or("") == "version", done.text());
    BOOST_TEST(done.err.find("hob enable") != std::string::npos, done.text());
    BOOST_TEST(manager.starts() == 2u, manager.log());
}

BOOST_AUTO_TEST_CASE(systemd_socket_activate_works_with_clients_at_once) {
    if (!require_program("systemd-socket-activate")) return;
    sandbox box;
    box.config(echo_worker());
    BOOST_TEST(::mkdir(box.runtime().c_str(), 0700) == 0);
    run_options options;
    options.program = "/usr/bin/systemd-socket-activate";
    std::vector<std::string> words{"-l", box.socket()};
    for (const auto& variable : box.environment())
        words.insert(words.end(), {"-E", variable});
    words.insert(words.end(), {box.binary(), "-C", box.project(), "daemon", "--foreground"});
    auto manager = box.start(words, options);
    BOOST_TEST(wait_until([&] { return exists(box.socket()); }));
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(box.run({"list"}).status == 0);
    std::vector<background> clients;
    for (int i = 0; i < 8; ++i)
        clients.push_back(box.start({"ping"}));
    for (auto& client : clients) {
        const auto done = client.wait();
        BOOST_TEST(done.status == 0, done.text());
    }
    // It executes the keeper in its own place.
    BOOST_TEST(box.keeper_pid() == manager.pid());
    BOOST_TEST(box.daemon_starts() == 1);
    const auto status = box.run({"status"});
    BOOST_TEST(status.status == 0, status.text());
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(manager.wait().status == 0);
    BOOST_TEST(exists(box.socket()));
    // Nobody listens any more: the next daemon makes its own.
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
