// What the daemon's log and the units' logs do not tell.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// Everything that hob has written below the state dir, the database excepted.
std::string all_logs(sandbox& box) {
    return box
        .shell("cat '" + box.state_dir() + "'/*.log* '" + box.state_dir() + "'/log/* '" + box.state_dir() +
               "/last-words' 2>/dev/null; true")
        .out;
}

const std::string secret_params = R"({"key":"hunter2-in-params"})";

}  // namespace

BOOST_AUTO_TEST_SUITE(log_secrets)

BOOST_AUTO_TEST_CASE(S03_params_and_environment_values_are_not_logged_at_info_whatever_fails) {
    sandbox box;
    box.write("secret.env", "FILE_TOKEN=hunter2-in-file\n");
    box.config(
        echo_worker("echo", "env = { TOKEN = \"hunter2-in-toml\" }\nenv_file = \"secret.env\"") +
        rpc_worker("w", "env = { TOKEN = \"hunter2-in-toml\" }") +
        "[worker.nosuch]\nrun = [\"no-such-program\"]\nprotocol = \"lines\"\nenv = { T = \"hunter2\" }\n");
    box.set_env("PASSWORD", "hunter2-in-env");
    BOOST_REQUIRE(box.run({"call", "echo", "echo", secret_params}).status == 0);
    BOOST_TEST(box.run({"call", "echo", "env", "\"TOKEN\""}).out == "\"hunter2-in-toml\"\n");
    BOOST_TEST(box.run({"call", "echo", "env", "\"FILE_TOKEN\""}).out == "\"hunter2-in-file\"\n");
    BOOST_TEST(box.run({"call", "echo", "env", "\"PASSWORD\""}).out == "\"hunter2-in-env\"\n");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"call", "echo", "nonsense", secret_params},
          {"call", "echo", "die", secret_params},
          {"call", "w", "fail", secret_params},
          {"call", "w", "die", secret_params},
          {"call", "nosuch", "x", secret_params},
          {"call", "unknown", "x", secret_params},
          {"--timeout", "200ms", "call", "w", "never", secret_params},
          {"call", "w", "twice", secret_params},
          {"call", "w", "unknown_id", secret_params},
          {"restart", "w", "echo"},
          {"reload"},
          {"call", "w", "ask", secret_params}}) {
        const auto done = box.run(words);
        BOOST_TEST(done.signal == 0, done.text());
    }
    raw_client client(box.socket());
    client.send(
        R"({"jsonrpc":"2.0","id":1,"method":"worker.call","params":["hunter2"]})"
        "\n"
        R"({"jsonrpc":"2.0","id":2,"method":"worker.call","params":{"unit":"w","key":"hunter2"}})"
        "\n"
        R"({"jsonrpc":"2.0","id":3,"method":"hunter2"})"
        "\n"
        "hunter2 is no JSON\n"
        R"({"jsonrpc":"2.0","id":4,"method":"unit.restart","params":{"units":["w"],"env":["A=hunter2","hunter2"]}})"
        "\n");
    for (int i = 0; i < 5; ++i)
        client.reply();
    client.close();
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const std::string logged = all_logs(box);
    BOOST_TEST(logged.find("worker ended") != std::string::npos);
    BOOST_TEST(logged.find("hunter2") == std::string::npos, logged);
}

BOOST_AUTO_TEST_CASE(S03_a_failed_start_and_a_kill_do_not_log_them_either) {
    sandbox box;
    box.set_env("PASSWORD", "hunter2-in-env");
    box.config(
        "[worker.w]\nrun = \"cat\"\nprotocol = \"lines\"\nenv = { TOKEN = \"hunter2\" }\nkey = "
        "\"hunter2\"\n");
    BOOST_TEST(box.run({"ping"}).status == 2);
    box.config(echo_worker("echo", "env = { TOKEN = \"hunter2-in-toml\" }"));
    BOOST_REQUIRE(box.run({"call", "echo", "escape", secret_params}).status == 0);
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGKILL);
    BOOST_REQUIRE(wait_until([&] { return !process_lives(daemon); }));
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);  // sweeps
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const std::string logged = all_logs(box);
    BOOST_TEST(!logged.empty());
    BOOST_TEST(logged.find("hunter2") == std::string::npos, logged);
}

BOOST_AUTO_TEST_SUITE_END()
