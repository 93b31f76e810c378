// Everything at once, and the daemon killed again and again: services that are silent and that write without
// pause, timers, a watch, runs that are queued and that clients wait for. HOB_KEEPER_ROUNDS: how often it is
// killed.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "fixtures/daemon_death.hpp"
#include "fixtures/logged_lines.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr int silent_services = 12;
constexpr int writers = 4;

std::string project_under_load() {
    std::string text = "[log]\nmax_size = \"4MiB\"\nmax_files = 1000\n";
    for (int i = 0; i < silent_services; ++i)
        text += "[service.quiet" + std::to_string(i) + "]\nrun = \"exec sleep 1000\"\n";
    for (int i = 0; i < writers; ++i)
        text += "[service.writer" + std::to_string(i) +
                "]\nrun = [\"" HOB_PROGRAMS "/numbered\", \"1\", \"bytes\", \"64\", \"" +
                std::to_string(500 * (i + 1)) + "\"]\n";
    text += "[task.second]\nrun = \"echo x >> seconds\"\nevery = \"1s\"\nkeep = 100000\n";
    text +=
        "[task.often]\nrun = \"echo x >> often; exit 5\"\nevery = \"200ms\"\noverlap = \"queue\"\nkeep = "
        "100000\n";
    text += "[task.changed]\nrun = \"cat source > copy\"\nwatch = [\"source\"]\nkeep = 100000\n";
    text += "[task.asked]\nrun = \"echo x >> asked; exit 3\"\nkeep = 100000\n";
    return text;
}

std::vector<std::string> service_names() {
    std::vector<std::string> names;
    for (int i = 0; i < silent_services; ++i)
        names.push_back("quiet" + std::to_string(i));
    for (int i = 0; i < writers; ++i)
        names.push_back("writer" + std::to_string(i));
    return names;
}

std::string pids_of(sandbox& box) {
    const std::string status = box.run({"status", "--json"}).out;
    std::string pids;
    for (std::size_t i = 0; i < service_names().size(); ++i)
        pids += json_at(status, "/units/" + std::to_string(i) + "/pid").value_or("?") + " ";
    return pids;
}

// Each run of the task has left one line, its record says how it ended, and no slot came twice.
void check_runs(sandbox& box, const std::string& task, const std::string& exit, const std::string& file) {
    const auto runs = box.run({"runs", task, "--json", "-n", "all"}).out;
    const std::size_t all = count(runs, "\"id\":");
    std::size_t executed = 0;
    std::set<std::string> slots;
    for (std::size_t i = 0; i < all; ++i) {
        const std::string at = "/" + std::to_string(i);
        const auto state = json_at(runs, at + "/state").value_or("?");
        const auto cause = json_at(runs, at + "/cause").value_or("");
        if (state == "skipped" || state == "cancelled") continue;
        ++executed;
        BOOST_TEST(json_at(runs, at + "/exit").value_or("?") == exit, task << " " << state << " " << cause);
        if (cause.starts_with("due "))
            BOOST_TEST(slots.insert(cause.substr(0, cause.find(';'))).second, cause);
    }
    BOOST_TEST(executed > 0u);
    BOOST_TEST(count(slurp(box.project() + "/" + file), "x\n") == executed, task);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_storm)

BOOST_AUTO_TEST_CASE(K25_under_load_nothing_that_runs_notices_that_the_daemon_is_killed) {
    sandbox box;
    box.config(project_under_load());
    box.write("source", "0\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const std::string before = pids_of(box);
    BOOST_TEST(before.find('?') == std::string::npos);
    run_options shell;
    shell.program = "/bin/bash";
    std::vector<background> clients;
    for (int i = 0; i < 2; ++i)
        clients.push_back(
            box.start({"-c", "while [ ! -e over ]; do hob run asked >/dev/null 2>&1; done"}, shell));
    auto events = box.start({"events"});
    const int rounds = number_from_env("HOB_KEEPER_ROUNDS", scaled(20));
    for (int i = 1; i <= rounds; ++i) {
        box.write("source", std::to_string(i) + "\n");
        let_pass_randomly(std::chrono::milliseconds(250));
        kill_daemon(box);
    }
    box.write("over", "");
    for (auto& client : clients)
        client.wait(30s);
    BOOST_TEST(pids_of(box) == before);
    const std::string last = std::to_string(rounds) + "\n";
    BOOST_TEST(wait_until([&] { return slurp(box.project() + "/copy") == last; }));
    BOOST_TEST(box.run({"stop"},
                       [] {
                           run_options patient;
                           patient.limit = 60s;
                           return patient;
                       }())
                   .status == 0);
    events.kill_and_reap();
    // Timers go on.
    BOOST_TEST(wait_until([&] {
        return count(box.run({"runs", "--json", "-n", "all"}).out, "\"state\":\"running\"") == 0u;
    }));
    check_runs(box, "second", "0", "seconds");
    check_runs(box, "often", "5", "often");
    check_runs(box, "asked", "3", "asked");
    for (int i = 0; i < writers; ++i) {
        const std::string name = "writer" + std::to_string(i);
        check_numbered_lines(logged_lines(box.state_dir() + "/log/" + name + ".log", "stdout"), false);
    }
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_SUITE_END()
