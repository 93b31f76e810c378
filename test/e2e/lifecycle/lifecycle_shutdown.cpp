// The end: order, deadline, nothing left.

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

bool runtime_is_empty(const sandbox& box) {
    std::error_code none;
    return std::filesystem::directory_iterator(box.runtime(), none) == std::filesystem::directory_iterator();
}

bool is_warm(sandbox& box) {
    return json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "warm";
}

std::string stubborn(const std::string& stop_timeout) {
    return "[worker.echo]\nrun = [\"" HOB_PROGRAMS
           "/echo_worker\", \"stubborn\"]\nprotocol = \"jsonrpc\"\n"
           "stop = { timeout = \"" +
           stop_timeout + "\" }\n";
}

bool says_draining(sandbox& box) {
    return json_at(box.run({"status", "--json"}).out, "/daemon/state").value_or("") == "draining";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_shutdown)

BOOST_AUTO_TEST_CASE(D01_sigterm_lets_calls_finish_and_leaves_no_file_but_state) {
    sandbox box;
    box.config(echo_worker());
    auto daemon = box.start({"daemon", "--foreground"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"ping", "--no-spawn"}).status == 0; }));
    auto call = box.start({"call", "echo", "sleep", R"({"ms":800})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    daemon.signal(SIGTERM);
    const auto slept = call.wait();
    BOOST_TEST(slept.out == "\"slept\"\n", slept.text());
    const auto ended = daemon.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(runtime_is_empty(box));
    BOOST_TEST(exists(box.state_dir() + "/hob.db"));
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(D01_what_outlasts_half_of_the_time_is_told_and_the_rest_is_kept) {
    sandbox box;
    box.config("[daemon]\nshutdown_timeout = \"2s\"\n" + echo_worker());
    auto daemon = box.start({"daemon", "--foreground"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"ping", "--no-spawn"}).status == 0; }));
    auto call = box.start({"call", "echo", "sleep", R"({"ms":20000})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    daemon.signal(SIGTERM);
    const auto sent = std::chrono::steady_clock::now();
    const auto failed = call.wait();
    BOOST_TEST(failed.status != 0);
    BOOST_TEST(failed.err.starts_with("hob: cannot "), failed.text());
    BOOST_TEST(daemon.wait().status == 0);
    BOOST_TEST((std::chrono::steady_clock::now() - sent < 4s));
    BOOST_TEST(runtime_is_empty(box));
}

BOOST_AUTO_TEST_CASE(D01_new_acting_requests_are_refused_while_draining) {
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":1500})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    raw_client raw(box.socket());
    raw.line();
    ::kill(box.daemon_pid(), SIGTERM);
    std::optional<std::string> announced;
    while ((announced = raw.line()) && json_at(*announced, "/params/state").value_or("") != "draining") {
    }
    BOOST_REQUIRE(announced.has_value());
    raw.request("1", "worker.call", R"({"unit":"echo","method":"echo","params":1})");
    const auto refused = raw.line();
    if (refused) BOOST_TEST(json_at(*refused, "/error").has_value(), *refused);
    BOOST_TEST(call.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(D04_a_stubborn_unit_does_not_stretch_the_deadline) {
    sandbox box;
    box.config("[daemon]\nshutdown_timeout = \"1s\"\n" + stubborn("60s"));
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    const auto result = box.run({"shutdown"});
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(result.elapsed < 3s);
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(D04_a_second_sigterm_ends_it_at_once) {
    sandbox box;
    box.config("[daemon]\nshutdown_timeout = \"60s\"\n" + stubborn("50s"));
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGTERM);
    BOOST_TEST(wait_until([&] {
        const auto status = box.run({"status", "--json"});
        return json_at(status.out, "/daemon/state").value_or("") == "draining";
    }));
    BOOST_TEST(process_lives(daemon));
    ::kill(daemon, SIGTERM);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 2s));
    BOOST_TEST(box.processes().empty());
    BOOST_TEST(runtime_is_empty(box));
}

BOOST_AUTO_TEST_CASE(D04_shutdown_now_skips_the_waiting) {
    sandbox box;
    box.config("[daemon]\nshutdown_timeout = \"60s\"\n" + stubborn("50s"));
    auto call = box.start({"call", "echo", "sleep", R"({"ms":20000})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    const auto result = box.run({"shutdown", "--now"});
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(result.elapsed < 3s);
    BOOST_TEST(runtime_is_empty(box));
    BOOST_TEST(call.wait().status != 0);
}

BOOST_AUTO_TEST_CASE(D05_every_shutdown_returns_only_when_pid_and_socket_are_gone) {
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":800})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    const pid_t daemon = box.daemon_pid();
    const std::string check = "hob shutdown || exit 9; kill -0 " + std::to_string(daemon) +
                              " 2>/dev/null && grep -qs '^State:.[^Z]' /proc/" + std::to_string(daemon) +
                              "/status && exit 8; [ ! -e '" + box.socket() + "' ] || exit 7; [ ! -e '" +
                              box.pid_file() + "' ] || exit 6";
    run_options shell;
    shell.program = "/bin/bash";
    auto first = box.start({"-c", check}, shell);
    BOOST_TEST(wait_until([&] { return says_draining(box); }));
    auto second = box.start({"-c", check}, shell);
    for (auto* shutdown : {&first, &second}) {
        const auto result = shutdown->wait();
        BOOST_TEST(result.status == 0, result.text());
    }
    BOOST_TEST(call.wait().out == "\"slept\"\n");
}

BOOST_AUTO_TEST_CASE(D05_nothing_running_is_success) {
    sandbox box;
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(D05_a_command_during_the_drain_is_served_by_the_successor) {
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":700})"});
    BOOST_REQUIRE(wait_until([&] { return is_warm(box); }));
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGTERM);
    BOOST_REQUIRE(wait_until([&] { return says_draining(box); }));
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(json_at(ping.out, "/pid").value_or("") != std::to_string(daemon));
    BOOST_TEST(call.wait().out == "\"slept\"\n");
}

BOOST_AUTO_TEST_CASE(L22_a_moved_or_deleted_project_ends_its_daemon) {
    sandbox box;
    const std::string moved = box.root() + "/moved";
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t first = box.daemon_pid();
    std::filesystem::rename(box.project(), moved);
    BOOST_TEST(wait_until([&] { return !process_lives(first); }, 5s));
    run_options there;
    there.cwd = moved;
    const auto after = box.run({"ping", "--json"}, there);
    BOOST_TEST(after.status == 0, after.text());
    const pid_t second = box.daemon_pid(moved);
    std::filesystem::remove_all(moved);
    BOOST_TEST(wait_until([&] { return !process_lives(second); }, 5s));
    // Recreated: a new daemon serves the new place.
    std::filesystem::create_directory(box.project());
    box.config("");
    const auto again = box.run({"ping", "--json"});
    BOOST_TEST(again.status == 0, again.text());
    BOOST_TEST(box.daemon_pid() != first);
}

BOOST_AUTO_TEST_CASE(L22_a_project_recreated_at_once_is_served_by_a_new_daemon) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t first = box.daemon_pid();
    std::filesystem::rename(box.project(), box.root() + "/moved");
    std::filesystem::create_directory(box.project());
    box.config("");
    BOOST_TEST(wait_until([&] { return !process_lives(first); }, 5s));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_pid() != first);
}

BOOST_AUTO_TEST_CASE(L09_a_deleted_socket_is_bound_again_or_the_daemon_ends) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    for (const std::string& path : {box.socket(), box.pid_file()}) {
        ::unlink(path.c_str());
        const auto ping = box.run({"ping"});
        BOOST_TEST(ping.status == 0, ping.text());
        BOOST_TEST(ping.elapsed < 3s);
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }, 12s));
    }
    // L10. The daemon may bind its socket anew while the directory is being emptied, as under a real cleaner.
    BOOST_TEST(remove_tree(box.runtime()));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }, 12s));
}

BOOST_AUTO_TEST_SUITE_END()
