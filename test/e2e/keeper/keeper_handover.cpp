// `hob restart --daemon`: another program takes over in the daemon's process, and nothing that runs notices.

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/daemon_death.hpp"
#include "fixtures/pinging.hpp"
#include "fixtures/services.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

run_options with(const char* program) {
    run_options options;
    options.program = program;
    return options;
}

// Asks the daemon to hand over to a file of the project with this text, and returns the reply.
std::string hand_over_to(sandbox& box, const std::string& script) {
    box.write("program", script, 0700);
    raw_client client(box.socket());
    client.line();
    client.request("1", "daemon.handover", R"({"program":")" + box.project() + R"(/program"})");
    return client.reply(30s);
}

// A program that says of itself what this binary says, and then is `script`.
std::string after_the_check(const std::string& script) {
    return "#!/bin/sh\ncase \"$*\" in *--check-successor*) exec '" + std::string(HOB_BINARY) +
           "' \"$@\";; esac\n" + script + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_handover)

BOOST_AUTO_TEST_CASE(K92_there_and_back_between_two_versions_no_client_is_refused_or_cut) {
    sandbox box;
    box.config(service("s", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done") +
               "[task.t]\nrun = \"true\"\nevery = \"200ms\"\nkeep = 100000\n"
               "[task.long]\nrun = \"until test -e go; do sleep 0.05; done; echo ended\"\n");
    BOOST_REQUIRE(box.run({"start", "s", "t"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const std::string pid = unit_member(box, "s", "pid");
    const std::string own = value_at(box.run({"status", "--json"}).out, "/daemon/version");
    auto run = box.start({"run", "long"});
    std::vector<background> clients;
    for (int i = 0; i < 4; ++i)
        clients.push_back(start_pinging(box, "hob ping"));
    for (int i = 0; i < scaled(50); ++i) {
        const bool there = i % 2 == 0;
        const auto restart =
            box.run({"restart", "--daemon", "--json"}, with(there ? HOB_SIBLING_BINARY : HOB_BINARY));
        BOOST_TEST(restart.status == 0, i << ": " << restart.text());
        BOOST_TEST(value_at(restart.out, "/pid") == std::to_string(daemon), restart.text());
        BOOST_TEST(value_at(restart.out, "/version") == (there ? "0.0.9" : own), restart.text());
    }
    box.write(box.root() + "/stop", "");
    for (auto& client : clients) {
        const auto result = client.wait();
        BOOST_TEST(result.status == 0, result.text());
    }
    box.write("go", "");
    const auto ran = run.wait();
    BOOST_TEST(ran.out == "ended\n", ran.text());
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(unit_member(box, "s", "restarts") == "0");
    BOOST_REQUIRE(box.run({"stop", "s"}).status == 0);
    std::string expected;
    const std::string shown = box.run({"logs", "s", "--raw", "-n", "all"}).out;
    for (int i = 1; expected.size() < shown.size(); ++i)
        expected += std::to_string(i) + "\n";
    BOOST_TEST((shown == expected), shown);
}

BOOST_AUTO_TEST_CASE(K93_a_program_that_cannot_take_over_is_refused_with_the_reason) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    box.set_env("HOB_START_TIMEOUT", "2s");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const std::string pid = unit_member(box, "s", "pid");
    const std::vector<std::pair<std::string, std::string>> programs{
        {"#!/bin/sh\nexit 0\n", "it ended without an answer"},
        {"#!/bin/sh\nkill -SEGV $$\n", "it ended without an answer"},
        {"#!/bin/sh\necho 'no such library' >&2; exit 127\n", "it said: no such library"},
        {"#!/nonexistent\n", "No such file or directory"},
        {"no program", "it said: "},
        {"#!/bin/sh\nexec sleep 1000\n", "it does not answer"},
        {"#!/bin/sh\necho '{\"version\":\"9\",\"protocol\":1,\"keeper\":99,\"state\":1}'\n",
         "its protocol of the keeper has version 99"},
        {"#!/bin/sh\necho '{\"version\":\"0\",\"protocol\":1,\"keeper\":1,\"state\":0}'\n",
         "its state has version 0"},
        {"#!/bin/sh\necho '{\"code\":\"config\",\"message\":\"cannot use it\"}'\n", "cannot use it"},
    };
    for (const auto& [text, reason] : programs) {
        const auto reply = hand_over_to(box, text);
        BOOST_TEST(reply.find("cannot hand the daemon over to") != std::string::npos, reply);
        BOOST_TEST(reply.find(reason) != std::string::npos, reply);
    }
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(K94_a_program_that_fails_after_its_check_is_followed_by_the_one_before) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    box.set_env("HOB_START_TIMEOUT", "3s");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    for (const char* script : {"exit 1", "kill -KILL $$", "exec sleep 1000", "exec /nonexistent"}) {
        const pid_t daemon = box.daemon_pid();
        const auto reply = hand_over_to(box, after_the_check(script));
        BOOST_TEST(value_at(reply, "/result/pid") == std::to_string(daemon), reply);
        BOOST_REQUIRE_MESSAGE(wait_until([&] { return box.daemon_pid() > 1 && box.daemon_pid() != daemon; }),
                              script);
        const auto ping = box.run({"ping"});
        BOOST_TEST(ping.status == 0, script << ": " << ping.text());
        BOOST_TEST(unit_member(box, "s", "pid") == pid);
    }
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(K95_a_connection_goes_on_in_the_middle_of_a_request) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    raw_client half(box.socket()), follower(box.socket());
    half.line();
    follower.line();
    follower.request("1", "hob.subscribe");
    follower.reply();
    half.send(R"({"jsonrpc":"2.0","id":7,"method":"ho)");
    BOOST_TEST(box.run({"ping"}).status == 0);  // so the half has been read
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    half.send("b.ping\"}\n");
    BOOST_TEST(value_at(half.reply(), "/id") == "7");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(wait_until([&] {
        const auto event = follower.line();
        BOOST_REQUIRE(event.has_value());
        return value_at(*event, "/params/unit") == "s";
    }));
}

BOOST_AUTO_TEST_CASE(K39_handovers_that_are_asked_for_at_once_follow_each_other) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const std::string pid = unit_member(box, "s", "pid");
    for (int round = 0; round < scaled(5); ++round) {
        std::vector<background> restarts;
        for (int i = 0; i < 8; ++i)
            restarts.push_back(box.start({"restart", "--daemon"}));
        for (auto& each : restarts) {
            const auto done = each.wait();
            BOOST_TEST(done.status == 0, done.text());
        }
    }
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(unit_member(box, "s", "restarts") == "0");
}

BOOST_AUTO_TEST_CASE(K96_after_a_handover_deaths_are_followed_by_the_new_program) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    const std::string sibling = box.root() + "/sibling";
    box.shell("cp '" + std::string(HOB_SIBLING_BINARY) + "' '" + sibling + "'");
    BOOST_TEST(box.run({"restart", "--daemon"}, with(sibling.c_str())).status == 0);
    const auto version = [&] { return value_at(box.run({"status", "--json"}).out, "/daemon/version"); };
    kill_daemon(box);
    BOOST_TEST(version() == "0.0.9");
    box.shell("rm '" + sibling + "'");
    kill_daemon(box);
    BOOST_TEST(version() == "0.0.9");
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(K97_a_broken_file_and_a_removed_unit_do_not_hinder_a_handover) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    box.config("[service.s\n");
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(value_at(box.run({"status", "--json"}).out, "/daemon/config_state") == "broken");
}

BOOST_AUTO_TEST_CASE(K98_the_newer_program_takes_over_from_a_daemon_of_another_protocol) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const std::string pid = unit_member(box, "s", "pid");
    const auto next = box.run({"restart", "--daemon"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(next.status == 0, next.text());
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(value_at(box.run({"status", "s", "--json"}, with(HOB_NEXT_BINARY)).out, "/units/0/pid") ==
               pid);
    const auto back = box.run({"restart", "--daemon"});
    BOOST_TEST(back.status == 0, back.text());
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(K99_a_shutdown_during_a_handover_ends_everything) {
    sandbox box;
    box.config(service("s", "exec sleep 1000"));
    for (int i = 0; i < scaled(10); ++i) {
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        auto restart = box.start({"restart", "--daemon"});
        const auto ended = box.run({"shutdown"});
        BOOST_TEST(ended.status == 0, ended.text());
        restart.wait();
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        BOOST_TEST(box.processes_and_keepers().empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()
