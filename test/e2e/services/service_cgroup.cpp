// Units in cgroups of their own: a process that leaves session, tree and marks does not leave its unit.

#include <asm/unistd.h>
#include <dirent.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "fixtures/cgroups.hpp"
#include "fixtures/rpc_project.hpp"
#include "fixtures/unit_ends.hpp"
#include "harness/sandbox.hpp"
#include "harness/seccomp.hpp"

using namespace hob::test;

namespace {

std::string home_of(sandbox& box, const std::string& parent) { return parent + "/hob-" + box.key(); }

// Processes that have `word` among their arguments.
std::vector<pid_t> with_argument(const std::string& word) {
    std::vector<pid_t> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc"), ::closedir);
    while (const dirent* entry = ::readdir(dir.get())) {
        const pid_t pid = std::atoi(entry->d_name);
        if (pid <= 1 || pid == ::getpid()) continue;
        const std::string arguments = slurp("/proc/" + std::to_string(pid) + "/cmdline");
        if (arguments.find(word + '\0') != std::string::npos) found.push_back(pid);
    }
    return found;
}

// A program whose processes only its cgroup identifies: an empty environment, a session of its own each,
// parents that have ended, SIGTERM ignored. Most stay; one becomes another process every few milliseconds.
// They end by themselves after a minute, in case a test fails.
std::string write_bomb(sandbox& box) {
    box.write("bomb", R"(#!/bin/bash
trap '' TERM HUP
case $1 in
  begin)
    for i in {1..20}; do (env -i /usr/bin/setsid /bin/bash "$0" stay &); done
    (env -i /usr/bin/setsid /bin/bash "$0" hop $((EPOCHSECONDS + 60)) &) ;;
  stay) exec -a "$0" /bin/bash -c 'read -t 60 < <(exec -a "$0" /bin/sleep 60)' "$0" ;;
  hop)
    [ $EPOCHSECONDS -lt $2 ] || exit
    /usr/bin/setsid /bin/bash "$0" hop $2 &
    /bin/sleep 0.01 ;;
esac </dev/null >/dev/null 2>&1
)",
              0700);
    return box.project() + "/bomb";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_cgroup)

BOOST_AUTO_TEST_CASE(D02_a_unit_that_kills_all_lives_in_a_cgroup_of_its_own_and_the_daemon_does_not) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    sandbox box;
    box.config(rpc_worker("w", stopping()) + rpc_worker("g", stopping("kill = \"group\"")) +
               "[service.s]\nrun = \"sleep 1000\"\n");
    const pid_t worker = made(box, "pid");
    const pid_t away = made(box, "spawn_away", R"(["1000"])");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto group = box.run({"call", "g", "pid"});
    const auto status = box.run({"status", "s", "--json"});
    const pid_t service = std::atoi(json_at(status.out, "/units/0/pid").value_or("0").c_str());
    const std::string own = cgroup_of(::getpid()) == "/" ? "" : cgroup_of(::getpid());
    const std::string home = own + "/hob-" + box.key();
    BOOST_TEST(cgroup_of(worker) == home + "/w");
    BOOST_TEST(cgroup_of(away) == home + "/w");
    BOOST_TEST(cgroup_of(service) == home + "/s");
    BOOST_TEST(cgroup_of(std::atoi(group.out.c_str())) == cgroup_of(::getpid()));
    BOOST_TEST(cgroup_of(box.daemon_pid()) == cgroup_of(::getpid()));
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(!exists(home_of(box, parent) + "/w"));
    BOOST_TEST(exists(home_of(box, parent) + "/s"));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(home_of(box, parent)));
    BOOST_TEST(!exists(box.state_dir() + "/cgroup"));
}

BOOST_AUTO_TEST_CASE(D02_what_nothing_but_its_cgroup_tells_of_is_ended_by_every_way_to_end_a_unit) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    for (const way how : every_way) {
        sandbox box;
        box.config(rpc_worker("w", stopping()));
        const std::string bomb = write_bomb(box);
        BOOST_REQUIRE(box.run({"call", "w", "run", R"([")" + bomb + R"(","begin"])"}).status == 0);
        BOOST_REQUIRE(wait_until([&] { return with_argument(bomb).size() > 20; }, 20s));
        end_unit(box, how);
        const auto left = with_argument(bomb);
        BOOST_TEST(left.empty(), name_of(how) << " left " << left.size());
        BOOST_TEST(!exists(home_of(box, parent) + "/w"), name_of(how));
        if (how != way::stop) BOOST_TEST(!exists(home_of(box, parent)), name_of(how));
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        BOOST_TEST(!exists(home_of(box, parent)), name_of(how));
    }
}

BOOST_AUTO_TEST_CASE(D02_the_daemon_of_another_project_survives_in_the_cgroup_of_the_unit_that_started_it) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    for (const way how : every_way) {
        sandbox box;
        const std::string other = box.root() + "/other";
        BOOST_REQUIRE(box.shell("mkdir '" + other + "'").status == 0);
        box.write(other + "/hob.toml", rpc_worker("w", stopping()));
        box.config(rpc_worker("w", stopping()));
        const std::string bomb = write_bomb(box);
        const auto inner = box.run(
            {"call", "w", "run", R"([")" + box.binary() + R"(","-C",")" + other + R"(","call","w","pid"])"});
        BOOST_REQUIRE_MESSAGE(inner.status == 0, inner.text());
        const pid_t second = box.daemon_pid(other);
        const pid_t second_worker = std::atoi(json_at(inner.out, "").value_or("0").c_str());
        BOOST_REQUIRE(second > 1);
        BOOST_REQUIRE(second_worker > 1);
        BOOST_TEST(cgroup_of(second).ends_with("/hob-" + box.key() + "/w"));
        BOOST_TEST(cgroup_of(second_worker).ends_with("/w/hob-" + box.key(other) + "/w"));
        BOOST_REQUIRE(
            box.run({"call", "w", "spawn", R"(["env","-i","setsid","/bin/bash",")" + bomb + R"(","stay"])"})
                .status == 0);
        BOOST_REQUIRE(wait_until([&] { return !with_argument(bomb).empty(); }));
        end_unit(box, how);
        BOOST_TEST(process_lives(second), name_of(how));
        BOOST_TEST(process_lives(second_worker), name_of(how));
        BOOST_TEST(with_argument(bomb).empty(), name_of(how));
        BOOST_TEST(exists(home_of(box, parent) + "/w"), name_of(how));
        // The next process of that unit gets another cgroup.
        BOOST_TEST(box.run({"start", "w"}).status == 0);
        BOOST_TEST(cgroup_of(made(box, "pid")).ends_with("/hob-" + box.key() + "/w+2"), name_of(how));
        run_options there;
        there.cwd = other;
        BOOST_TEST(box.run({"call", "w", "pid"}, there).out == std::to_string(second_worker) + "\n",
                   name_of(how));
        BOOST_TEST(box.run({"shutdown"}, there).status == 0);
        BOOST_TEST(!process_lives(second_worker));
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        BOOST_TEST(!exists(home_of(box, parent)), name_of(how));
    }
}

BOOST_AUTO_TEST_CASE(D02_a_daemon_that_a_unit_of_its_own_predecessor_starts_ends_the_rest_of_that_unit) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    sandbox box;
    box.config(rpc_worker("w", stopping()));
    const std::string bomb = write_bomb(box);
    BOOST_REQUIRE(box.run({"call", "w", "run", R"([")" + bomb + R"(","begin"])"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return with_argument(bomb).size() > 20; }, 20s));
    const pid_t before = box.daemon_pid();
    const std::string again = fmt::format("kill -STOP {0}; kill -9 {1} {0}", before, box.keeper_pid()) +
                              "; exec '" + box.binary() + "' -C '" + box.project() + "' ping";
    // The call gets no reply: the new daemon ends the rest of the unit, to which the caller belongs.
    box.run({"call", "w", "spawn", R"(["setsid","bash","-c",")" + again + R"("])"});
    BOOST_REQUIRE(wait_until([&] { return box.daemon_pid() > 0 && box.daemon_pid() != before; }, 20s));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(with_argument(bomb).empty());
    BOOST_TEST(cgroup_of(box.daemon_pid()) == cgroup_of(::getpid()));
    BOOST_TEST(!exists(home_of(box, parent)));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(with_HOB_CGROUP_off_there_is_none) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    sandbox box;
    box.set_env("HOB_CGROUP", "off");
    box.config(rpc_worker("w", stopping()));
    BOOST_TEST(cgroup_of(made(box, "pid")) == cgroup_of(::getpid()));
    BOOST_TEST(!exists(home_of(box, parent)));
    BOOST_TEST(!exists(box.state_dir() + "/cgroup"));
    const pid_t away = made(box, "spawn_away", R"(["1000"])");
    BOOST_TEST(box.run({"stop", "w"}).status == 0);
    BOOST_TEST(!process_lives(away));
}

BOOST_AUTO_TEST_CASE(where_a_process_cannot_be_born_in_a_cgroup_it_moves_there) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    sandbox box;
    box.config(rpc_worker("w", stopping()));
    run_options without;
    without.in_child = [] { fail_syscall(__NR_clone3, ENOSYS); };
    BOOST_REQUIRE(box.run({"ping"}, without).status == 0);
    BOOST_TEST(cgroup_of(made(box, "pid")).ends_with("/hob-" + box.key() + "/w"));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(!exists(home_of(box, parent)));
}

BOOST_AUTO_TEST_CASE(status_counts_what_the_units_tree_has_used_also_when_it_has_exited_unseen) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    sandbox box;
    box.config(rpc_worker("w", stopping()));
    made(box, "pid");
    // Half a second of CPU time by an orphan that the worker does not wait for.
    const std::string burn =
        R"(import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nwhile time.process_time() < 0.5: pass)";
    BOOST_REQUIRE(box.run({"call", "w", "run", R"(["python3","-c",")" + burn + R"("])"}).status == 0);
    const auto cpu_ms = [&] {
        return std::atoi(
            json_at(box.run({"status", "w", "--json"}).out, "/units/0/cpu_ms").value_or("0").c_str());
    };
    BOOST_TEST(wait_until([&] { return cpu_ms() >= 500; }, 20s));
    BOOST_REQUIRE(wait_until([&] {
        return slurp(home_of(box, parent) + "/w/cgroup.procs").find('\n') ==
               slurp(home_of(box, parent) + "/w/cgroup.procs").size() - 1;
    }));
    BOOST_TEST(cpu_ms() >= 500);
    const auto rss = json_at(box.run({"status", "w", "--json"}).out, "/units/0/rss_kib").value_or("0");
    BOOST_TEST(std::atoi(rss.c_str()) > 1000);
}

BOOST_AUTO_TEST_SUITE_END()
