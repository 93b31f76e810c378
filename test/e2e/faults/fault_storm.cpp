// Overload: signals, exits, connections, abandoned waits.

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "util/proc.hpp"

using namespace hob::test;

namespace {

int children_of(pid_t parent, bool zombies) {
    int found = 0;
    for (const auto& process : hob::util::all_processes()) {
        if (process.ppid == parent && (process.state == 'Z') == zombies) ++found;
    }
    return found;
}

// [worker.NAME]: a shell that answers "ready" to its first line and, after "go", leaves children behind and
// exits.
std::string shell_worker(const std::string& name, const std::string& script) {
    return "[worker." + name + "]\nrun = [\"/bin/bash\", \"-c\", '''" + script +
           "''']\nprotocol = \"lines\"\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fault_storm)

BOOST_AUTO_TEST_CASE(D09_a_storm_of_sighup_and_sigchld_does_no_harm) {
    sandbox box;
    box.config(echo_worker());
    const auto worker = box.run({"call", "echo", "pid"});
    BOOST_REQUIRE(worker.status == 0);
    const pid_t daemon = box.daemon_pid();
    auto call = box.start({"call", "echo", "sleep", R"({"ms":1500})"});
    raw_client client(box.socket());
    const int rounds = scaled(400);
    for (int i = 0; i < rounds; ++i) {
        for (int burst = 0; burst < 25; ++burst) {
            ::kill(daemon, SIGHUP);
            ::kill(daemon, SIGCHLD);
        }
        client.request(std::to_string(i), "hob.ping");
        BOOST_REQUIRE(json_at(client.reply(), "/id").value_or("") == std::to_string(i));
    }
    BOOST_TEST(call.wait().out == "\"slept\"\n");
    BOOST_TEST(box.run({"call", "echo", "pid"}).out == worker.out);
    // The last reload counts: it applies a change made now.
    box.config(echo_worker() + echo_worker("second"));
    ::kill(daemon, SIGHUP);
    BOOST_TEST(wait_until([&] {
        return json_at(box.run({"status", "--json"}).out, "/units/1/name") == "second";
    }));
    BOOST_TEST(box.run({"call", "second", "echo", "1"}).out == "1\n");
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(children_of(daemon, true) == 0);
}

BOOST_AUTO_TEST_CASE(D09_a_thousand_orphans_that_end_at_once_leave_no_zombie_and_hide_no_exit) {
    sandbox box;
    const int orphans = scaled(1000);
    // The daemon is the orphans' subreaper. They end when the fifo is closed.
    box.config(shell_worker("mother",
                            "read line\n"
                            "mkfifo gate; exec 9<>gate\n"
                            "for i in $(seq " +
                                std::to_string(orphans) +
                                "); do ( (read -r x <gate) </dev/null >/dev/null 2>&1 9>&- & ) ; done\n"
                                "echo born\n"
                                "read line\n"
                                "exit 37\n") +
               echo_worker());
    run_options patient;
    patient.limit = 120s;
    const auto born = box.run({"call", "--timeout", "100s", "mother", "go"}, patient);
    BOOST_REQUIRE_MESSAGE(born.out == "born\n" || born.out == "\"born\"\n", born.text());
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(wait_until([&] { return children_of(daemon, false) > orphans; }, 60s));
    const auto end = box.run({"call", "mother", "exit"}, patient);
    BOOST_TEST(end.status == 1, end.text());
    BOOST_TEST(end.err.find("37") != std::string::npos, end.text());
    BOOST_TEST(box.run({"call", "echo", "echo", "1"}).out == "1\n");
    BOOST_TEST(
        wait_until([&] { return children_of(daemon, true) == 0 && children_of(daemon, false) == 1; }, 60s));
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(D09_workers_that_exit_at_once_are_each_reported_with_their_status) {
    sandbox box;
    const int workers = scaled(100);
    std::string toml;
    for (int i = 0; i < workers; ++i) {
        toml += shell_worker("w" + std::to_string(i),
                             "while read line; do [ \"$line\" = up ] && echo up; "
                             "[ \"$line\" = end ] && exit " +
                                 std::to_string(1 + i) + "; done");
    }
    box.config(toml);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    raw_client client(box.socket());
    const auto all = [&](const std::string& method) {
        for (int i = 0; i < workers; ++i) {
            client.request(std::to_string(i), "worker.call",
                           R"({"unit":"w)" + std::to_string(i) + R"(","method":")" + method + R"("})");
        }
    };
    all("up");
    for (int i = 0; i < workers; ++i)
        BOOST_REQUIRE(json_at(client.reply(30s), "/result").value_or("") == "up");
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(children_of(daemon, false) == workers);
    all("end");
    for (int i = 0; i < workers; ++i) {
        const std::string reply = client.reply(30s);
        const int id = std::atoi(json_at(reply, "/id").value_or("-1").c_str());
        BOOST_TEST(reply.find("exited with status " + std::to_string(id + 1)) != std::string::npos, reply);
    }
    BOOST_TEST(wait_until([&] { return children_of(daemon, true) == 0 && children_of(daemon, false) == 0; }));
}

BOOST_AUTO_TEST_CASE(W06_ten_thousand_connections_are_served_even_beyond_the_descriptor_limit) {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    const int wanted = scaled(10'000);
    if (descriptors.rlim_max < static_cast<rlim_t>(wanted) + 200)
        return not_possible_here("a process may have only " + std::to_string(descriptors.rlim_max) +
                                 " descriptors");
    sandbox box;
    // The daemon may have fewer than there are clients.
    const rlim_t room = static_cast<rlim_t>(wanted) - static_cast<rlim_t>(wanted) / 10;
    run_options options;
    options.in_child = [room] {
        const rlimit few{room, room};
        ::setrlimit(RLIMIT_NOFILE, &few);
    };
    BOOST_REQUIRE(box.run({"ping"}, options).status == 0);
    const pid_t daemon = box.daemon_pid();
    raw_client steady(box.socket());
    BOOST_REQUIRE(steady.line().has_value());
    std::vector<raw_client> crowd;
    crowd.reserve(static_cast<std::size_t>(wanted));
    const auto most = static_cast<std::size_t>(room) - 100;
    for (std::size_t i = 0; i < static_cast<std::size_t>(wanted); ++i) {
        crowd.emplace_back(box.socket());
        if (i < most && i % 50 == 0) BOOST_REQUIRE(crowd.back().line(30s).has_value());
    }
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon) >= static_cast<int>(room) - 10; }, 30s));
    // Full: accepted connections are served, and the daemon is idle.
    steady.request("1", "hob.ping");
    BOOST_TEST(json_at(steady.reply(), "/id").value_or("") == "1");
    const long before = context_switches(daemon);
    let_pass(1s);
    BOOST_TEST(context_switches(daemon) < before + 50);
    crowd.erase(crowd.begin(), crowd.begin() + static_cast<long>(most / 2));
    crowd.back().request("7", "hob.ping");
    BOOST_TEST(json_at(crowd.back().reply(30s), "/id").value_or("") == "7");
    BOOST_TEST(box.run({"ping"}).status == 0);
    crowd.clear();
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon) < 100; }, 30s));
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(W07_an_interrupted_wait_of_any_kind_frees_what_it_held) {
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    raw_client watcher(box.socket());
    BOOST_REQUIRE(watcher.line().has_value());
    const auto alone = [&] {
        watcher.request("1", "hob.status");
        return json_at(watcher.reply(), "/result/daemon/clients").value_or("") == "1";
    };
    BOOST_REQUIRE(wait_until(alone));  // the daemon has closed the call's connection as well
    const int before = open_descriptors(daemon);
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"events"},
                                                 {"status", "--watch"},
                                                 {"call", "echo", "sleep", R"({"ms":3600000})"}}) {
        std::vector<background> waiting;
        for (int i = 0; i < scaled(20); ++i)
            waiting.push_back(box.start(verb));
        BOOST_TEST(wait_until(
            [&] { return open_descriptors(daemon) >= before + static_cast<int>(waiting.size()); }));
        for (auto& each : waiting)
            each.signal_group(SIGINT);
        for (auto& each : waiting) {
            const auto result = each.wait();
            BOOST_TEST((result.signal == SIGINT || result.status == 130 || result.status == 0),
                       result.text());
        }
        BOOST_TEST(wait_until([&] { return alone() && open_descriptors(daemon) <= before; }), verb[0]);
    }
    // The worker got twenty requests to sleep for an hour: it still handles the first, but holds
    // nobody's call.
    BOOST_TEST(box.run({"restart", "echo"}).status == 0);
    BOOST_TEST(box.run({"call", "echo", "echo", "1"}).out == "1\n");
    BOOST_TEST(box.run({"shutdown"}).elapsed < 8s);
}

BOOST_AUTO_TEST_SUITE_END()
