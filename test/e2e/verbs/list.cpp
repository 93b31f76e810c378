#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(list)

BOOST_AUTO_TEST_CASE(running_and_stopped_instances_with_their_roots) {
    sandbox box;
    make_calc_project(box);
    BOOST_TEST(box.run({"list", "--json"}).out == "[]\n");
    box.run({"ping"});
    const auto up = box.run({"list", "--json"});
    BOOST_TEST_CONTEXT(up.text()) {
        BOOST_TEST(json_at(up.out, "/0/instance").value_or("") == box.key());
        BOOST_TEST(json_at(up.out, "/0/root").value_or("") == box.project());
        BOOST_TEST(json_at(up.out, "/0/state").value_or("") == "running");
        BOOST_TEST(json_at(up.out, "/0/pid").value_or("") == std::to_string(box.daemon_pid()));
        BOOST_TEST(json_at(up.out, "/0/version").has_value());
        BOOST_TEST(std::stoll(json_at(up.out, "/0/uptime_ms").value_or("-1")) >= 0);
    }
    box.run({"shutdown"});
    const auto down = box.run({"list", "--json"});
    BOOST_TEST(json_at(down.out, "/0/state").value_or("") == "stopped");
    BOOST_TEST(json_at(down.out, "/0/pid").value_or("") == "null");
    BOOST_TEST(json_at(down.out, "/0/root").value_or("") == box.project());
}

// A project that has run, with its directory.
std::string run_project(sandbox& box, const std::string& name) {
    const std::string directory = box.root() + "/" + name;
    BOOST_REQUIRE(hob::util::make_directories(directory));
    box.write(directory + "/hob.toml", "[service.s]\nrun = ['sleep', '1000']\n");
    BOOST_REQUIRE(box.run({"-C", directory, "ping"}).status == 0);
    return directory;
}

BOOST_AUTO_TEST_CASE(C16_deleted_projects_are_forgotten_with_prune) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    const std::string gone = run_project(box, "gone");
    const std::string kept = run_project(box, "kept");
    for (const auto& directory : {gone, kept})
        BOOST_REQUIRE(box.run({"-C", directory, "shutdown"}).status == 0);
    const std::string state = box.state_dir(gone);  // needs the directory
    BOOST_REQUIRE(remove_tree(gone));
    BOOST_TEST(box.run({"list"}).out.find(gone) != std::string::npos);
    // Without a terminal it does not ask, and removes nothing.
    const auto refused = box.run({"list", "--prune"});
    BOOST_TEST(refused.status == 2, refused.text());
    BOOST_TEST(refused.err.find("  " + gone + "  ") != std::string::npos, refused.text());
    BOOST_TEST(refused.err.find("hint: hob list --prune --yes") != std::string::npos, refused.text());
    BOOST_TEST(exists(state));
    const auto pruned = box.run({"list", "--prune", "--yes"});
    BOOST_TEST(pruned.status == 0, pruned.text());
    BOOST_TEST(pruned.err.starts_with("removed " + gone + ": "), pruned.err);
    BOOST_TEST((pruned.err.ends_with("KiB\n") || pruned.err.ends_with("MiB\n")), pruned.err);
    BOOST_TEST(pruned.out.find(gone) == std::string::npos, pruned.out);
    BOOST_TEST(pruned.out.find(kept) != std::string::npos, pruned.out);
    BOOST_TEST(!exists(state));
    BOOST_TEST(exists(box.state_dir(kept) + "/root"));
    BOOST_TEST(box.daemon_pid() != 0);
    const auto none = box.run({"list", "--prune"});
    BOOST_TEST(none.status == 0);
    BOOST_TEST(none.err.starts_with("nothing to remove"), none.err);
    BOOST_TEST(box.run({"list", "--yes"}).status == 2);
}

BOOST_AUTO_TEST_CASE(on_a_terminal_prune_asks_and_only_yes_removes) {
    if (!require_program("script")) return;
    sandbox box;
    const std::string gone = run_project(box, "gone");
    BOOST_REQUIRE(box.run({"-C", gone, "shutdown"}).status == 0);
    const std::string state = box.state_dir(gone);
    BOOST_REQUIRE(remove_tree(gone));
    const auto answered = [&](const std::string& answer) {
        return box.shell("printf '" + answer + "\\n' | script -qec 'hob list --prune' /dev/null");
    };
    const auto no = answered("");
    BOOST_TEST(no.out.find("1 directory is gone:") != std::string::npos, no.text());
    BOOST_TEST(no.out.find("for ever? [y/N]") != std::string::npos, no.text());
    BOOST_TEST(no.status == 1);
    BOOST_TEST(exists(state));
    const auto yes = answered("y");
    BOOST_TEST(yes.out.find("removed " + gone) != std::string::npos, yes.text());
    BOOST_TEST(yes.status == 0);
    BOOST_TEST(!exists(state));
}

BOOST_AUTO_TEST_CASE(C16_a_deleted_project_of_which_something_runs_is_kept) {
    sandbox box;
    const std::string gone = run_project(box, "gone");
    const std::string key = box.key(gone);
    run_options marked;
    marked.program = "/bin/sleep";
    marked.env = {{"HOB_INSTANCE", key}};
    auto process = box.start({"1000"}, marked);
    BOOST_REQUIRE(box.run({"-C", gone, "shutdown"}).status == 0);
    const std::string state = box.state_dir(gone);  // before the directory is gone
    BOOST_REQUIRE(remove_tree(gone));
    BOOST_REQUIRE(wait_until([&] {
        return slurp("/proc/" + std::to_string(process.pid()) + "/environ").find(key) != std::string::npos;
    }));
    BOOST_TEST(box.run({"list", "--prune", "--yes"}).status == 0);
    BOOST_TEST(exists(state));
    process.kill_and_reap();
    BOOST_TEST(box.run({"list", "--prune", "--yes"}).out.find(gone) == std::string::npos);
    BOOST_TEST(!exists(state));
}

BOOST_AUTO_TEST_CASE(looking_starts_nothing) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.run({"shutdown"});
    const int starts = box.daemon_starts();
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(box.run({"list"}).status == 0);
    BOOST_TEST(box.daemon_starts() == starts);
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(L04_one_that_is_stopped_holds_up_nobody) {
    sandbox box;
    make_calc_project(box);
    std::vector<pid_t> stopped;
    for (const char* name : {"one", "two", "three"}) {
        box.run({"--instance", name, "ping"});
        const std::string pid = slurp(box.runtime() + "/" + name + ".pid");
        BOOST_REQUIRE(!pid.empty());
        stopped.push_back(std::stoi(pid));
    }
    for (const pid_t pid : stopped)
        ::kill(pid, SIGSTOP);
    const auto listed = box.run({"list", "--json"});
    for (const pid_t pid : stopped)
        ::kill(pid, SIGCONT);
    BOOST_TEST_CONTEXT(listed.text()) {
        for (const char* at : {"/0/state", "/1/state", "/2/state"}) {
            BOOST_TEST(json_at(listed.out, at).value_or("") == "wedged");
        }
        BOOST_TEST(json_at(listed.out, "/0/version").value_or("null") != "null");
    }
    BOOST_TEST(listed.elapsed < 4s);
}

BOOST_AUTO_TEST_CASE(for_people_it_is_a_table) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    const auto done = box.run({"list"});
    BOOST_TEST(done.out.find("ROOT") != std::string::npos);
    BOOST_TEST(done.out.find(box.project()) != std::string::npos);
    BOOST_TEST(done.out.find("running") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(U44_a_daemon_whose_hob_toml_is_gone_is_found_from_its_directory) {
    sandbox box;
    box.shell("mkdir -p sub/dir");
    box.config("[service.s]\nrun = 'exec sleep 1000'\n");
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    box.shell("rm hob.toml");
    for (const char* directory : {"", "/sub/dir"}) {
        run_options inside;
        inside.cwd = box.project() + directory;
        const auto status = box.run({"status", "--json"}, inside);
        BOOST_TEST(status.status == 0, status.text());
        BOOST_TEST(json_at(status.out, "/daemon/pid").value_or("") == std::to_string(daemon));
        BOOST_TEST(json_at(status.out, "/daemon/config_state").value_or("") == "broken");
        BOOST_TEST(json_at(status.out, "/units/0/state").value_or("") == "ready");
    }
    const auto start = box.run({"start", "s"});
    BOOST_TEST(start.status == 2, start.text());
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.daemon_pid() == 0);
    // Without a daemon the directory is no project any more.
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"status"}).status == 3);
}

BOOST_AUTO_TEST_SUITE_END()
