// A launch that blocks, as with a directory or a program on a file system that does not answer.

#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"

using namespace hob::test;

namespace {

// Starts the daemon of the sandbox. From then on every process that it makes stops at `gate`.
void start_daemon(sandbox& box, syscall_gate& gate) {
    run_options options;
    options.in_child = [&] { gate.install(); };
    auto ping = box.start({"ping"}, options);
    while (ping.running()) {
        try {
            gate.arrival(50ms);
            gate.release();
        } catch (const test_failure&) {
        }
    }
    BOOST_REQUIRE(ping.wait().status == 0);
}

// What the process has open besides its standard descriptors and the socket by which it is let go.
std::string inherited(pid_t pid) {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
        const int number = std::stoi(entry.path().filename().string());
        if (number <= 2) continue;
        const auto target = std::filesystem::read_symlink(entry.path()).string();
        if (number > 3 || !target.starts_with("socket:")) found += target + "\n";
    }
    return found;
}

struct blocking_call {
    int number;
    const char* reason;
};

const blocking_call blocking[] = {{__NR_chdir, "does not answer"}, {__NR_execve, "is not executed yet"}};

std::string slow(const std::string& timeout) {
    return "ready = { delay = \"0s\", timeout = \"" + timeout + "\" }\nrestart = \"never\"";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(launch_blocked)

BOOST_AUTO_TEST_CASE(L34_a_launch_that_blocks_delays_nobody_and_is_ended_by_a_stop) {
    for (const auto& call : blocking) {
        for (const std::string how : {"stop", "shutdown"}) {
            sandbox box;
            box.config(service("s", "exec sleep 1000", slow("60s")) + service("other", "exec sleep 1000"));
            syscall_gate gate({call.number});
            start_daemon(box, gate);
            auto start = box.start({"start", "s"});
            const pid_t newborn = gate.arrival();
            BOOST_TEST(inherited(newborn) == "");
            const auto ping = box.run({"ping"});
            BOOST_TEST(ping.status == 0);
            BOOST_TEST(ping.elapsed < 2s);
            BOOST_TEST(unit_member(box, "s", "state") == "starting");
            BOOST_TEST(unit_member(box, "s", "detail").find(call.reason) != std::string::npos);
            const auto ended = how == "stop" ? box.run({"stop", "s"}) : box.run({"shutdown", "--now"});
            BOOST_TEST(ended.status == 0, ended.text());
            BOOST_TEST(ended.elapsed < 4s);
            BOOST_TEST(!process_lives(newborn));
            BOOST_TEST(start.wait().status == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(L34_a_start_that_blocks_ends_at_its_own_time_out_and_names_what_it_waited_for) {
    for (const auto& call : blocking) {
        sandbox box;
        box.config(service("s", "exec sleep 1000", slow("300ms")) +
                   "[worker.w]\nrun = [\"cat\"]\nprotocol = \"lines\"\ncall_timeout = \"300ms\"\n" +
                   "[task.t]\nrun = [\"true\"]\ntimeout = \"300ms\"\n");
        syscall_gate gate({call.number});
        start_daemon(box, gate);
        const auto service = box.run({"start", "s"});
        BOOST_TEST(service.status == 1);
        BOOST_TEST(service.err.find("it was not ready within 300ms: its ") != std::string::npos, service.err);
        BOOST_TEST(service.err.find(call.reason) != std::string::npos, service.err);
        const auto called = box.run({"call", "w", "x"});
        BOOST_TEST(called.status == 4);
        BOOST_TEST(called.err.find(call.reason) != std::string::npos, called.err);
        BOOST_TEST(box.run({"stop", "w"}).status == 0);
        BOOST_TEST(box.run({"run", "t"}).status == 128 + 9);
        const auto runs = box.run({"runs", "t", "--json"});
        BOOST_TEST(json_at(runs.out, "/0/state").value_or("") == "timeout");
        BOOST_TEST(json_at(runs.out, "/0/cause").value_or("").find(call.reason) != std::string::npos,
                   runs.out);
    }
}

BOOST_AUTO_TEST_CASE(L34_launches_that_block_do_not_keep_others_from_starting) {
    sandbox box;
    std::string config;
    for (int i = 0; i < 20; ++i)
        config += service("s" + std::to_string(i), "exec sleep 1000", slow("60s"));
    box.config(config);
    syscall_gate gate({__NR_chdir});
    start_daemon(box, gate);
    auto start = box.start({"start"});
    gate.arrival();
    BOOST_TEST(wait_until([&] { return count(box.run({"status"}).out, "does not answer") == 20; }));
    gate.release();
    BOOST_TEST(wait_until([&] { return count(box.run({"status"}).out, "●") == 2; }));
    BOOST_TEST(box.run({"shutdown", "--now"}).status == 0);
    start.wait();
}

BOOST_AUTO_TEST_SUITE_END()
