// Failing starts: each is reported at once with its reason, then the crash-loop brake holds.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>

#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

// Every start with these options fails in the daemon.
run_options failing() {
    run_options options;
    options.in_child = [] { fail_syscall(__NR_listen, EADDRNOTAVAIL); };
    return options;
}

// Waits for a command whose daemons stop at the gate, and opens the gate for each of them.
outcome pass_all(background& command, syscall_gate& gate) {
    while (command.running()) {
        gate.release();
        try {
            gate.arrival(50ms);
        } catch (const test_failure&) {
        }
    }
    gate.release();
    return command.wait();
}

std::string code_of(const outcome& result) { return json_at(result.err, "/error/code").value_or("none"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_failing_start)

BOOST_AUTO_TEST_CASE(L06_all_clients_fail_at_once_with_the_winners_reason) {
    sandbox box;
    std::vector<background> clients;
    for (int i = 0; i < 16; ++i)
        clients.push_back(box.start({"ping", "--json"}, failing()));
    for (auto& client : clients) {
        const auto result = client.wait();
        BOOST_TEST(result.status == 3, result.text());
        BOOST_TEST(result.err.find(box.socket()) != std::string::npos, result.text());
        BOOST_TEST(result.elapsed < 5s);
    }
}

BOOST_AUTO_TEST_CASE(L06_a_broken_configuration_is_everybodys_reason) {
    sandbox box;
    box.config("[worker.x]\nrun = 5\n");
    std::vector<background> clients;
    for (int i = 0; i < 16; ++i)
        clients.push_back(box.start({"ping", "--json"}));
    for (auto& client : clients) {
        const auto result = client.wait();
        BOOST_TEST(result.status == 2, result.text());
        BOOST_TEST(code_of(result) == "config");
        BOOST_TEST(result.err.find("hob.toml:2:") != std::string::npos, result.text());
    }
    box.config("");
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L23_a_start_that_fails_by_an_error_says_it_and_the_fourth_is_braked) {
    sandbox box;
    for (int i = 0; i < 3; ++i) {
        const auto result = box.run({"ping", "--json"}, failing());
        BOOST_TEST(result.status == 3, result.text());
        BOOST_TEST(code_of(result) != "crash_loop", result.text());
        BOOST_TEST(result.err.find(box.socket()) != std::string::npos, result.text());
        BOOST_TEST(result.elapsed < 3s);
    }
    const auto braked = box.run({"ping", "--json"});
    BOOST_TEST(braked.status == 3);
    BOOST_TEST(code_of(braked) == "crash_loop", braked.text());
    BOOST_TEST(braked.err.find(box.socket()) != std::string::npos, braked.text());
    BOOST_TEST(exists(box.state_dir() + "/last-words"));

    BOOST_TEST(code_of(box.run({"ping", "--json"})) == "crash_loop");
    BOOST_TEST(box.run({"doctor", "--clear"}).status <= 1);
    const auto mended = box.run({"ping"});
    BOOST_TEST(mended.status == 0, mended.text());
}

BOOST_AUTO_TEST_CASE(L23_an_edited_configuration_and_hob_daemon_release_the_brake) {
    sandbox box;
    for (int i = 0; i < 3; ++i)
        box.run({"ping"}, failing());
    BOOST_TEST(code_of(box.run({"ping", "--json"})) == "crash_loop");
    const auto by_hand = box.run({"daemon", "--json"}, failing());
    BOOST_TEST(by_hand.status == 3, by_hand.text());
    BOOST_TEST(code_of(by_hand) != "crash_loop", by_hand.text());
    box.config("# edited\n");
    const auto edited = box.run({"ping"});
    BOOST_TEST(edited.status == 0, edited.text());
}

BOOST_AUTO_TEST_CASE(L23_a_new_binary_releases_the_brake) {
    sandbox box;
    box.copy_binary();
    for (int i = 0; i < 3; ++i)
        box.run({"ping"}, failing());
    BOOST_TEST(code_of(box.run({"ping", "--json"})) == "crash_loop");
    let_pass(1100ms);  // another second on the file's clock
    box.copy_binary(HOB_BINARY);
    const auto result = box.run({"ping"});
    BOOST_TEST(result.status == 0, result.text());
}

BOOST_AUTO_TEST_CASE(L23_configuration_errors_do_not_count) {
    sandbox box;
    box.config("[nonsense]\n");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(code_of(box.run({"ping", "--json"})) == "config");
}

BOOST_AUTO_TEST_CASE(L23_a_daemon_killed_by_a_signal_is_told_at_its_death) {
    sandbox box;
    run_options deadly;
    deadly.in_child = [] { kill_on_syscall(__NR_listen); };
    for (int i = 0; i < 3; ++i) {
        const auto result = box.run({"ping", "--json"}, deadly);
        BOOST_TEST(result.status == 3, result.text());
        BOOST_TEST(code_of(result) == "start_failed", result.text());
        BOOST_TEST(result.elapsed < 3s);
    }
    const auto braked = box.run({"ping", "--json"}, deadly);
    BOOST_TEST(code_of(braked) == "crash_loop", braked.text());
    BOOST_TEST(box.run({"daemon"}).status == 0);
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L23_a_daemon_that_hangs_is_named_at_the_deadline_and_may_still_come) {
    sandbox box;
    box.set_env("HOB_START_TIMEOUT", "1500ms");
    syscall_gate gate({__NR_listen});
    run_options options;
    options.in_child = [&] { gate.install(); };
    auto ping = box.start({"ping", "--json"}, options);
    const pid_t daemon = gate.arrival();
    const auto result = ping.wait();
    BOOST_TEST((result.status == 3 || result.status == 4), result.text());
    BOOST_TEST(result.err.find(std::to_string(daemon)) != std::string::npos, result.text());
    BOOST_TEST(result.err.find("daemon.log") != std::string::npos, result.text());
    BOOST_TEST(result.elapsed >= 1400ms);
    BOOST_TEST(result.elapsed < 4s);
    // Nobody is started beside it.
    const auto again = box.run({"ping"});
    BOOST_TEST(again.status != 0);
    BOOST_TEST(again.elapsed < 4s);
    gate.release();
    BOOST_TEST(wait_until([&] { return box.run({"ping"}).status == 0; }));
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(box.daemon_starts() == 1);
}

BOOST_AUTO_TEST_CASE(L07_the_client_is_killed_before_the_daemons_exec) {
    sandbox box;
    syscall_gate gate({__NR_execve, __NR_execveat});
    run_options options;
    options.in_child = [&] { gate.install(); };
    auto ping = box.start({"ping"}, options);
    gate.arrival();  // the harness's own exec of hob
    gate.release();
    gate.arrival();  // the daemon's
    ping.kill_and_reap();
    gate.release();
    const auto next = box.run({"ping"});
    BOOST_TEST(next.status == 0, next.text());
}

BOOST_AUTO_TEST_CASE(L07_the_client_is_killed_while_the_daemon_starts) {
    for (const int step : {__NR_flock, __NR_bind, __NR_listen}) {
        sandbox box;
        syscall_gate gate({step});
        run_options options;
        options.in_child = [&] { gate.install(); };
        auto ping = box.start({"ping"}, options);
        // The client's own calls pass; the first of another process is the daemon's.
        pid_t arrived = gate.arrival();
        while (arrived == ping.pid()) {
            gate.release();
            arrived = gate.arrival();
        }
        ping.kill_and_reap();
        gate.release();
        auto next = box.start({"ping"});
        const auto result = pass_all(next, gate);
        BOOST_TEST(result.status == 0, step << ": " << result.text());
    }
}

BOOST_AUTO_TEST_CASE(L07_the_client_is_killed_at_any_moment) {
    sandbox box;
    const auto cold = box.run({"ping"});
    BOOST_REQUIRE(cold.status == 0);
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(cold.elapsed + 2ms);
    const int rounds = scaled(60);
    for (int i = 0; i < rounds; ++i) {
        BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
        auto ping = box.start({"ping"});
        let_pass(whole * i / rounds);
        ping.kill_and_reap();
        const auto next = box.run({"ping"});
        BOOST_TEST(next.status == 0, i << ": " << next.text());
    }
}

BOOST_AUTO_TEST_CASE(D04_sigterm_during_start_ends_it) {
    sandbox box;
    syscall_gate gate({__NR_listen});
    run_options options;
    options.in_child = [&] { gate.install(); };
    auto ping = box.start({"ping"}, options);
    const pid_t daemon = gate.arrival();
    ::kill(daemon, SIGTERM);
    gate.release();
    pass_all(ping, gate);  // served by a successor, or refused; but it ends
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 12s));
    const auto next = box.run({"ping"});
    BOOST_TEST(next.status == 0, next.text());
}

BOOST_AUTO_TEST_SUITE_END()
