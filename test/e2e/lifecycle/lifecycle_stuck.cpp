// Daemons that do not answer, that are zombies, or that run under another runtime directory.

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(lifecycle_stuck)

BOOST_AUTO_TEST_CASE(L04_every_verb_ends_beside_a_stopped_daemon_and_it_goes_on_as_before) {
    sandbox box;
    box.config(echo_worker());
    const auto warm = box.run({"call", "echo", "pid"});
    BOOST_REQUIRE_MESSAGE(warm.status == 0, warm.text());
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);

    const std::vector<std::vector<std::string>> blocked{
        {"ping"},
        {"call", "echo", "pid"},
        {"status"},
        {"shutdown"},
        {"stop", "echo"},
        {"reload"},
        {"start", "echo"},
        {"restart", "echo"},
        {"restart", "--daemon"},
        {"events"},
        {"daemon"},
        {"--timeout", "1s", "ping"},
    };
    const std::vector<std::vector<std::string>> unaffected{
        {"logs"}, {"list"}, {"prompt"}, {"check"}, {"completions", "bash"}, {"help"}, {"doctor"},
    };
    std::vector<background> running;
    for (const auto& args : blocked)
        running.push_back(box.start(args));
    for (const auto& args : unaffected)
        running.push_back(box.start(args));
    for (std::size_t i = 0; i < running.size(); ++i) {
        const auto& args = i < blocked.size() ? blocked[i] : unaffected[i - blocked.size()];
        const auto result = running[i].wait();
        BOOST_TEST(result.elapsed < 15s, args[0] << ": " << result.text());
        if (i >= blocked.size()) continue;
        BOOST_TEST((result.status == 3 || result.status == 4), args[0] << ": " << result.text());
        if (args[0] == "--timeout") continue;
        BOOST_TEST(result.err.find(std::to_string(daemon)) != std::string::npos,
                   args[0] << ": " << result.text());
        BOOST_TEST(result.err.find("stopped") != std::string::npos, args[0] << ": " << result.text());
    }
    BOOST_TEST(process_lives(daemon));

    ::kill(daemon, SIGCONT);
    const auto after = box.run({"call", "echo", "pid"});
    BOOST_TEST(after.out == warm.out, after.text());
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/state").value_or("") == "running");
}

BOOST_AUTO_TEST_CASE(L04_a_command_that_waits_for_a_stopped_daemon_is_served_when_it_goes_on) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);
    auto ping = box.start({"ping", "--json"});
    let_pass(300ms);
    ::kill(daemon, SIGCONT);
    const auto result = ping.wait();
    BOOST_TEST(json_at(result.out, "/pid").value_or("") == std::to_string(daemon), result.text());
}

BOOST_AUTO_TEST_CASE(L04_shutdown_now_ends_a_stopped_daemon) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);
    const auto result = box.run({"shutdown", "--now"});
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(result.elapsed < 20s);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 5s));
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L13_a_zombie_daemon_is_judged_dead) {
    // Orphans become children of this process, which does not reap them, as a slow init.
    BOOST_REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    pid_t zombie = 0;
    pid_t second = 0;
    {
        sandbox box;
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        zombie = box.daemon_pid();
        BOOST_REQUIRE(zombie > 0);
        box.kill_daemon_and_keeper();
        BOOST_REQUIRE(wait_until([&] { return proc_status(zombie, "State").starts_with("Z"); }));
        const auto status = box.run({"status", "--json"});
        BOOST_TEST(status.status == 3, status.text());
        const auto ping = box.run({"ping", "--json"});
        BOOST_TEST(ping.status == 0, ping.text());
        BOOST_TEST(ping.elapsed < 3s);
        BOOST_TEST(box.daemon_pid() != zombie);
        second = box.keeper_pid();
        const auto shutdown = box.run({"shutdown"});
        BOOST_TEST(shutdown.status == 0, shutdown.text());
        BOOST_TEST(shutdown.elapsed < 3s);
        BOOST_TEST(wait_until([&] { return proc_status(second, "State").starts_with("Z"); }));
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

BOOST_AUTO_TEST_CASE(L33_the_same_instance_under_another_runtime_directory_is_told_where_it_is) {
    sandbox box;
    box.config(echo_worker());
    const auto warm = box.run({"call", "echo", "pid"});
    BOOST_REQUIRE_MESSAGE(warm.status == 0, warm.text());
    run_options elsewhere;
    elsewhere.env = {{"HOB_RUNTIME_DIR", box.root() + "/r2"}};
    const auto second = box.run({"ping", "--json"}, elsewhere);
    BOOST_TEST(second.status == 3, second.text());
    BOOST_TEST(json_at(second.err, "/error/code").value_or("") == "instance_elsewhere", second.text());
    BOOST_TEST(second.err.find(std::to_string(box.daemon_pid())) != std::string::npos, second.text());
    BOOST_TEST(second.err.find(box.socket()) != std::string::npos, second.text());
    BOOST_TEST(second.elapsed < 5s);
    BOOST_TEST(!exists(box.root() + "/r2/" + box.key() + ".sock"));
    BOOST_TEST(box.run({"call", "echo", "pid"}).out == warm.out);

    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"ping"}, elsewhere).status == 0);
    BOOST_TEST(box.run({"shutdown"}, elsewhere).status == 0);
}

BOOST_AUTO_TEST_CASE(L33_a_draining_daemon_elsewhere_is_waited_for) {
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":1500})"});
    BOOST_REQUIRE(wait_until([&] { return box.daemon_pid() > 0 && exists(box.socket()); }));
    BOOST_REQUIRE(wait_until([&] {
        return json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "warm";
    }));
    ::kill(box.daemon_pid(), SIGTERM);
    BOOST_REQUIRE(wait_until([&] { return !exists(box.socket()); }));
    run_options elsewhere;
    elsewhere.env = {{"HOB_RUNTIME_DIR", box.root() + "/r2"}};
    const auto second = box.run({"ping"}, elsewhere);
    BOOST_TEST(second.status == 0, second.text());
    BOOST_TEST(call.wait().status == 0);
    BOOST_TEST(box.run({"shutdown"}, elsewhere).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
