// The processes that a service leaves behind, and its output.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct stubborn {
    const char* what;
    const char* script;
};

constexpr stubborn stubborn_services[] = {
    {"ignores SIGTERM", "trap '' TERM; echo up; while :; do sleep 0.1; done"},
    {"double-forks into a session of its own", "(setsid sleep 1001 &) ; echo up; exec sleep 1000"},
    {"leaves a child that holds its output", "sleep 1002 & echo up; exec sleep 1000"},
    {"is stopped", "echo up; kill -STOP $$; sleep 1000"},
    {"forks a hundred short children",
     "echo up; while :; do for i in {1..20}; do sleep 0.02 & done; wait; done"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(service_end)

BOOST_AUTO_TEST_CASE(D02_nothing_of_a_service_survives_stop_shutdown_or_a_kill_and_a_start) {
    for (const auto& tested : stubborn_services) {
        for (const std::string how : {"stop", "shutdown", "kill"}) {
            sandbox box;
            box.config(
                service("s", tested.script,
                        "ready = { log = \"up\" }\nstop = { timeout = \"300ms\" }\nrestart = \"never\""));
            const auto started = box.run({"start", "s"});
            BOOST_REQUIRE_MESSAGE(started.status == 0, tested.what << ": " << started.text());
            if (how == "kill") {
                box.kill_daemon_and_keeper();
                // The successor would start it again; shutting that down clears the desired state.
                BOOST_TEST(box.run({"daemon"}).status == 0);
                BOOST_TEST(box.run({"shutdown"}).status == 0);
            } else {
                const auto ended = how == "stop" ? box.run({"stop", "s"}) : box.run({"shutdown"});
                BOOST_TEST(ended.status == 0, tested.what << ", " << how << ": " << ended.text());
            }
            const std::size_t daemons = how == "stop" ? 1 : 0;
            BOOST_TEST(wait_until([&] { return box.processes().size() == daemons; }),
                       tested.what << ", " << how);
        }
    }
}

BOOST_AUTO_TEST_CASE(D02_what_kill_spares_goes_on) {
    for (const std::string kill : {"group", "main"}) {
        sandbox box;
        box.expect_leftovers();
        box.config(service("s",
                           "setsid sh -c 'touch away; exec sleep 1001' & sleep 1002 & "
                           "until [ -e away ]; do sleep 0.01; done; echo up; exec sleep 1000",
                           "ready = { log = \"up\" }\nkill = \"" + kill + "\""));
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        BOOST_REQUIRE(wait_until([&] { return box.processes().size() == 4; }));
        BOOST_TEST(box.run({"stop", "s"}).status == 0);
        const std::size_t left = kill == "group" ? 1 : 2;
        BOOST_TEST(wait_until([&] { return box.processes().size() == left + 1; }), kill);
    }
}

BOOST_AUTO_TEST_CASE(D02_the_daemon_of_another_project_started_inside_a_service_goes_on) {
    sandbox box;
    const std::string other = box.root() + "/other";
    std::filesystem::create_directory(other);
    box.write(other + "/hob.toml", "");
    box.config(service("s", "env -u HOB_INSTANCE hob -C '" + other + "' ping; echo up; exec sleep 1000",
                       "ready = { log = \"up\" }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t theirs = box.daemon_pid(other);
    BOOST_REQUIRE(theirs > 1);
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(process_lives(theirs));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(process_lives(theirs));
}

BOOST_AUTO_TEST_CASE(node_and_python_servers_with_children_leave_nothing_behind) {
    if (!require_program("node") || !require_program("python3")) return;
    sandbox box;
    box.write("server.js",
              "const c = require('child_process');\n"
              "for (let i = 0; i < 3; i++) c.spawn('sleep', ['1001'], {detached: true});\n"
              "console.log('up'); setInterval(() => {}, 1000);\n");
    box.write("server.py",
              "import subprocess, time\n"
              "for _ in range(3): subprocess.Popen(['sleep', '1002'], start_new_session=True)\n"
              "print('up', flush=True); time.sleep(1000)\n");
    box.config(
        "[service.n]\nrun = \"node server.js\"\nready = { log = \"up\" }\n"
        "[service.p]\nrun = \"python3 server.py\"\nready = { log = \"up\" }\n");
    const auto started = box.run({"start"});
    BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    BOOST_TEST(box.processes().size() == 9u);
    BOOST_TEST(box.run({"stop"}).status == 0);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(U07_a_flood_without_a_newline_and_binary_output_are_kept_within_the_limit) {
    sandbox box;
    const int mebibytes = scaled(256);
    box.config("[log]\nmax_size = \"1MiB\"\nmax_files = 3\n" +
               service("flood",
                       fmt::format("head -c {}M /dev/zero | tr '\\\\0' x; echo; echo done; exec sleep 1000",
                                   mebibytes),
                       "ready = { log = \"^done\", timeout = \"120s\" }") +
               service("binary", "head -c 300000 /dev/urandom; echo; echo done; exec sleep 1000",
                       "ready = { log = \"^done\", timeout = \"60s\" }"));
    run_options patient;
    patient.limit = 150s;
    const auto started = box.run({"start"}, patient);
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(box.run({"logs", "flood", "-n", "1"}).out.find("done") != std::string::npos);
    const auto used = box.shell("du -sb '" + box.state_dir() + "/log' | cut -f1").out;
    BOOST_TEST(std::atol(used.c_str()) < 7 * 1024 * 1024, used);
    const long rss = std::atol(proc_status(box.daemon_pid(), "VmHWM").c_str());
    BOOST_TEST((sanitized() || rss < 64 * 1024), rss);
}

BOOST_AUTO_TEST_CASE(U07_a_service_that_closes_its_output_lives_on) {
    sandbox box;
    box.config(service("s", "exec >&- 2>&-; touch closed; exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/closed"); }));
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    const long before = context_switches(box.daemon_pid());
    let_pass(500ms);
    BOOST_TEST(context_switches(box.daemon_pid()) < before + 10);  // an end of file is no reason to spin
}

BOOST_AUTO_TEST_CASE(U08_exit_status_and_signal_are_told_as_they_were) {
    sandbox box;
    std::string config;
    for (const int code : {1, 42, 126, 127, 255})
        config += service(fmt::format("c{}", code), fmt::format("exit {}", code), "restart = \"never\"");
    for (const int number : {SIGHUP, SIGINT, SIGSEGV, SIGKILL, SIGUSR1})
        config += service(fmt::format("s{}", number), fmt::format("ulimit -c 0; kill -{} $$", number),
                          "restart = \"never\"");
    box.config(config);
    box.run({"start"});
    for (const int code : {1, 42, 126, 127, 255})
        BOOST_TEST(wait_until([&] {
                       return unit_member(box, fmt::format("c{}", code), "exit") == std::to_string(code);
                   }),
                   code);
    for (const int number : {SIGHUP, SIGINT, SIGSEGV, SIGKILL, SIGUSR1})
        BOOST_TEST(wait_until([&] {
                       return unit_member(box, fmt::format("s{}", number), "exit") ==
                              fmt::format("signal {}", number);
                   }),
                   number);
}

BOOST_AUTO_TEST_CASE(D09_many_ends_at_once_lose_no_exit_and_leave_no_zombie) {
    sandbox box;
    const int many = scaled(200);
    std::string config;
    for (int i = 0; i < many; ++i)
        config += fmt::format("[service.s{}]\nrun = \"sleep 1000\"\nrestart = \"never\"\n", i);
    box.config(config);
    run_options patient;
    patient.limit = 120s;
    BOOST_REQUIRE(box.run({"start"}, patient).status == 0);
    for (const pid_t pid : box.processes()) {
        if (pid != box.daemon_pid()) ::kill(pid, SIGKILL);
    }
    BOOST_TEST(wait_until(
        [&] {
            return count(box.run({"status", "--json"}).out, "\"state\":\"failed\"") ==
                   static_cast<std::size_t>(many);
        },
        60s));
    BOOST_TEST(count(box.run({"status", "--json"}).out, "\"exit\":\"signal 9\"") ==
               static_cast<std::size_t>(many));
    const auto zombies = box.shell(fmt::format("ps --ppid {} -o stat= | grep -c Z", box.daemon_pid()));
    BOOST_TEST(zombies.out == "0\n");
}

BOOST_AUTO_TEST_SUITE_END()
