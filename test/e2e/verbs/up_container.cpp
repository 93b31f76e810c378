// hob up as process 1: in a PID namespace of its own, with a root file system that cannot be written.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

run_options in_container() {
    run_options options;
    options.program = "/usr/bin/unshare";
    return options;
}

std::vector<std::string> words(const std::string& script) {
    return {"--mount",   "--pid",  "--fork", "--mount-proc", "--kill-child",
            "/bin/bash", "--norc", "-c",     script};
}

bool has_containers() {
    if (!require_root() || !require_program("unshare")) return false;
    sandbox box;
    if (box.run(words("true"), in_container()).status == 0) return true;
    not_possible_here("no PID namespaces");
    return false;
}

// Process 1 of the namespace: the only child of unshare.
pid_t first_process(pid_t unshare) {
    pid_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const pid_t pid = std::atoi(entry.path().filename().c_str());
        if (pid > 0 && proc_status(pid, "PPid") == std::to_string(unshare)) found = pid;
    }
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(up_container)

BOOST_AUTO_TEST_CASE(U37_as_process_1_it_shows_output_reaps_orphans_and_ends_in_time) {
    if (!has_containers()) return;
    sandbox box;
    box.config(
        service("web",
                "echo hello; (sh -c 'sleep 0.1' &); sleep 0.5; "
                "echo zombies $(ps -o stat= --ppid 1 | grep -c Z); exec sleep 1000") +
        service("deaf", "trap '' TERM; echo deaf; while :; do sleep 0.1; done", "stop.timeout = '60s'"));
    auto up = box.start(words("exec hob up web deaf"), in_container());
    std::string seen;
    while (seen.find("zombies") == std::string::npos)
        seen += up.read_line(20s).value_or("zombies: the end") + "\n";
    BOOST_TEST(seen.find("web | hello\n") != std::string::npos, seen);
    BOOST_TEST(seen.find("web | zombies 0\n") != std::string::npos, seen);
    const pid_t hob = first_process(up.pid());
    BOOST_REQUIRE(hob > 0);
    const auto before = std::chrono::steady_clock::now();
    ::kill(hob, SIGTERM);
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST((std::chrono::steady_clock::now() - before < 9s));
}

BOOST_AUTO_TEST_CASE(as_process_1_it_ends_as_a_client_would) {
    if (!has_containers()) return;
    sandbox box;
    box.config(service("db", "echo up; exec sleep 1000") +
               service("bad", "sleep 0.3; exit 4", "restart = 'never'") +
               "[task.e2e]\nrun = \"sh -c 'echo tested; exit 6'\"\nafter = ['db']\n");
    const auto tested = box.run(words("exec hob up db --exit-with e2e"), in_container());
    BOOST_TEST(tested.status == 6, tested.text());
    BOOST_TEST(tested.out == "db | up\ne2e | tested\n");
    const auto failed = box.run(words("exec hob up bad"), in_container());
    BOOST_TEST(failed.status == 1, failed.text());
    BOOST_TEST(failed.err.find("cannot keep 'bad' up: exited with status 4") != std::string::npos,
               failed.err);
    BOOST_TEST(box.run(words("exec hob up nothing --exit-with e2e"), in_container()).status == 125);
    box.config("[service.broken\n");
    BOOST_TEST(box.run(words("exec hob up"), in_container()).status == 2);
}

BOOST_AUTO_TEST_CASE(
    without_home_and_run_user_on_a_root_that_cannot_be_written_it_works_or_says_what_it_needs) {
    if (!has_containers()) return;
    sandbox box;
    box.config(service("web", "echo hello; sleep 0.3"));
    const std::string read_only = "mount -t tmpfs none /mnt && mount -o remount,bind,ro / || exit 99; ";
    const std::string hob = "exec env -i PATH=/usr/bin:/bin ";
    const auto refused = box.run(words(read_only + hob + box.binary() + " up"), in_container());
    BOOST_TEST(refused.status != 99);
    BOOST_TEST(refused.status != 0);
    BOOST_TEST(refused.err.find("Read-only file system") != std::string::npos, refused.err);
    BOOST_TEST(refused.err.find("HOB_") != std::string::npos, refused.err);
    const auto stateless =
        box.run(words(read_only + hob + "HOB_RUNTIME_DIR=/mnt/r " + box.binary() + " up"), in_container());
    BOOST_TEST(stateless.status != 0);
    BOOST_TEST(stateless.err.find("HOB_STATE_DIR") != std::string::npos, stateless.err);
    const auto works = box.run(
        words(read_only + hob + "HOB_RUNTIME_DIR=/mnt/r HOB_STATE_DIR=/mnt/s " + box.binary() + " up"),
        in_container());
    BOOST_TEST(works.status == 0, works.text());
    BOOST_TEST(works.out == "web | hello\n");
}

BOOST_AUTO_TEST_CASE(U37_a_daemon_in_the_foreground_shows_what_units_print) {
    sandbox box;
    box.config(service("web", "echo hello; echo oops >&2; exec sleep 1000"));
    auto daemon = box.start({"daemon", "--foreground"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"--no-spawn", "ping"}).status == 0; }));
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    std::string seen = daemon.read_line(20s).value_or("") + "\n" + daemon.read_line(20s).value_or("");
    BOOST_TEST(seen.find("web | hello") != std::string::npos, seen);
    BOOST_TEST(seen.find("web | oops") != std::string::npos, seen);
    daemon.signal(SIGTERM);
    BOOST_TEST(daemon.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(as_json_each_line_is_an_object) {
    sandbox box;
    box.config(service("web", "echo hello; printf '\\200\\n'; exec sleep 1000"));
    auto daemon = box.start({"daemon", "--foreground", "--json"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"--no-spawn", "ping"}).status == 0; }));
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    const std::string text = daemon.read_line(20s).value_or(""), bytes = daemon.read_line(20s).value_or("");
    BOOST_TEST(json_at(text, "/unit").value_or("") == "web", text);
    BOOST_TEST(json_at(text, "/msg").value_or("") == "hello", text);
    BOOST_TEST(json_at(bytes, "/data_b64").value_or("") == "gA==", bytes);
    daemon.signal(SIGTERM);
    daemon.wait();
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_keep_up_delays_no_daemon_in_the_foreground) {
    sandbox box;
    box.config(service("loud", "seq 1000000; echo done > finished; exec sleep 1000"));
    auto daemon = box.start({"daemon", "--foreground"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"--no-spawn", "ping"}).status == 0; }));
    BOOST_REQUIRE(box.run({"start", "loud"}).status == 0);
    BOOST_TEST(wait_until([&] { return exists(box.project() + "/finished"); }, 30s));
    BOOST_TEST(box.run({"ping", "--timeout", "5s"}).status == 0);
    daemon.signal(SIGTERM);
    const auto ended = daemon.wait();
    BOOST_TEST(ended.status == 0);
    BOOST_TEST(ended.out.find("loud | 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
