#include "unit/process/cgroup.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fixtures/cgroups.hpp"
#include "fixtures/run_loop.hpp"
#include "harness/sandbox.hpp"
#include "unit/process/child.hpp"
#include "unit/process/scope.hpp"
#include "unit/process/subreaper.hpp"
#include "unit/process/usage.hpp"

using namespace hob::unit;
using namespace std::chrono_literals;
using hob::test::exists;
using hob::test::scratch;
using hob::test::writable_cgroup;

namespace {

const std::string key = "cgroup-" + std::to_string(::getpid());

constexpr const char* hybrid =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

child_options in(const unit_cgroup& cgroup, const std::string& script) {
    child_options options;
    options.unit = "x";
    options.argv = {"/bin/sh", "-c", script};
    options.environment = {"PATH=/usr/bin:/bin"};
    options.cwd = "/";
    options.cgroup = cgroup.directory();
    return options;
}

hob::failure launch_failure_of(hob::test::run_loop& loop, const child_options& options) {
    child process(loop.executor(), options);
    return hob::test::failure_of([&] { loop.run(process.launched()); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cgroup)

BOOST_AUTO_TEST_CASE(its_directory_is_found_by_the_mounts) {
    BOOST_TEST(cgroup_directory(hybrid, "9:name=systemd:/a\n0::/\n") == "/sys/fs/cgroup/unified");
    BOOST_TEST(cgroup_directory(hybrid, "0::/user.slice/x\n") == "/sys/fs/cgroup/unified/user.slice/x");
    constexpr const char* part = "5 1 0:2 /docker/a /sys/fs/cgroup rw shared:9 - cgroup2 cgroup rw\n";
    BOOST_TEST(cgroup_directory(part, "0::/docker/a\n") == "/sys/fs/cgroup");
    BOOST_TEST(cgroup_directory(part, "0::/docker/a/b\n") == "/sys/fs/cgroup/b");
    BOOST_TEST(cgroup_directory("5 1 0:2 / /a\\040b rw - cgroup2 none rw\n", "0::/c\n") == "/a b/c");
}

BOOST_AUTO_TEST_CASE(there_is_none_where_the_mounts_do_not_show_it) {
    BOOST_TEST(cgroup_directory(hybrid, "9:name=systemd:/a\n").empty());
    BOOST_TEST(cgroup_directory(hybrid, "0::/../outside\n").empty());
    BOOST_TEST(cgroup_directory("", "0::/a\n").empty());
    BOOST_TEST(cgroup_directory("5 1 0:2 /docker/a /c rw - cgroup2 c rw\n", "0::/docker/ab\n").empty());
    BOOST_TEST(cgroup_directory("5 1 0:2 / /c rw - cgroup c rw,memory\n", "0::/a\n").empty());
}

BOOST_AUTO_TEST_CASE(usage_prefers_the_kernels_counters_and_takes_the_rest_from_proc) {
    const scratch dir;
    const usage plain = tree_usage(::getpid());
    BOOST_TEST(plain.rss_kib > 0);
    write_file(dir.path() + "/cpu.stat", "usage_usec 7654321\nuser_usec 1\nsystem_usec 2\n");
    BOOST_TEST(tree_usage(::getpid(), dir.path()).cpu_ms == 7654);
    BOOST_TEST(tree_usage(::getpid(), dir.path()).rss_kib > 0);
    write_file(dir.path() + "/memory.current", "5242880\n");
    BOOST_TEST(tree_usage(::getpid(), dir.path()).rss_kib == 5120);
}

BOOST_AUTO_TEST_CASE(two_processes_of_a_unit_have_two_and_nothing_is_left_in_the_end) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    const scratch dir;
    cgroup_home home(key, dir.path());
    const std::string place = parent + "/hob-" + key;
    BOOST_TEST(!exists(place));
    {
        const auto first = home.make("w", resource_spec());
        const auto second = home.make("w", resource_spec());
        const auto awkward = home.make("cgroup.procs", resource_spec());
        BOOST_TEST(first.path() == place + "/w");
        BOOST_TEST(second.path() == place + "/w+2");
        BOOST_TEST(awkward.path() == place + "/cgroup.procs+2");
        BOOST_TEST(unit_of_cgroup(second.path()) == "w");
        BOOST_TEST(instance_cgroups(key, dir.path()) == std::vector<std::string>{place},
                   boost::test_tools::per_element());
    }
    BOOST_TEST(!exists(place + "/w"));
    BOOST_TEST(!exists(place + "/w+2"));
    home.remove_empty();
    BOOST_TEST(!exists(place));
    BOOST_TEST(home.make("w", resource_spec()).path() == place + "/w");  // and again
    home.remove_empty();
    BOOST_TEST(!exists(place));
    BOOST_TEST(!exists(dir.path() + "/cgroup"));
}

BOOST_AUTO_TEST_CASE(what_an_earlier_daemon_had_to_leave_is_removed_by_one_that_starts_no_unit) {
    const std::string parent = writable_cgroup();
    if (parent.empty()) return;
    const scratch dir;
    const std::string left = parent + "/hob-" + key + "/w";
    BOOST_REQUIRE(std::filesystem::create_directories(left));
    write_file(dir.path() + "/cgroup", parent + "/hob-" + key + "\n");
    { const cgroup_home home(key, dir.path()); }
    BOOST_TEST(!exists(parent + "/hob-" + key));
    BOOST_TEST(!exists(dir.path() + "/cgroup"));
}

BOOST_AUTO_TEST_CASE(HOB_CGROUP_off_makes_none) {
    const scratch dir;
    ::setenv("HOB_CGROUP", "off", 1);
    cgroup_home home(key, dir.path());
    ::unsetenv("HOB_CGROUP");
    const auto none = home.make("w", resource_spec());
    BOOST_TEST(none.path().empty());
    BOOST_TEST(none.directory() == -1);
}

BOOST_AUTO_TEST_CASE(a_scope_takes_its_cgroup_along_and_spares_what_is_marked_for_another_instance) {
    if (writable_cgroup().empty()) return;
    const scratch dir;
    hob::test::run_loop loop;
    const subreaper reaper(loop.executor());
    cgroup_home home(key, dir.path());
    auto cgroup = home.make("w", resource_spec());
    child main(loop.executor(), in(cgroup,
                                   "(env -i setsid sleep 1000 &)\n"
                                   "(env HOB_INSTANCE=another setsid sleep 1001 &)\nexec sleep 1002"));
    BOOST_REQUIRE(main.in_cgroup());
    cgroup.started();
    scope target{key, "w", kill_scope::all, main.pid(), main.start_time(), true, cgroup.path()};
    // Before it executes sleep, a process may still have the marks of its parent.
    const auto sleeps = [](pid_t pid) {
        return hob::test::slurp("/proc/" + std::to_string(pid) + "/comm") == "sleep\n";
    };
    BOOST_REQUIRE(hob::test::wait_until([&] {
        const auto all = cgroup_members(cgroup.path());
        return all.size() == 3 && std::all_of(all.begin(), all.end(), sleeps) &&
               find_members(target).size() == 2;
    }));
    BOOST_TEST(!kill_scope_cgroup(target));
    BOOST_TEST(loop.run(end_scope(target, hob::util::deadline::in(10s))).empty());
    const auto spared = cgroup_members(cgroup.path());
    BOOST_REQUIRE(spared.size() == 1u);
    BOOST_TEST(hob::test::process_lives(spared.front()));
    BOOST_TEST(!remove_cgroup(cgroup.path()));
    BOOST_TEST(exists(cgroup.path()));
    BOOST_TEST(kill_cgroup(cgroup.path()));
    BOOST_TEST(wait_unpopulated(cgroup.path(), hob::util::deadline::in(10s)));
    BOOST_TEST(remove_cgroup(cgroup.path()));
    main.reap();
}

BOOST_AUTO_TEST_CASE(a_program_that_does_not_start_is_told_of_as_ever) {
    if (writable_cgroup().empty()) return;
    const scratch dir;
    hob::test::run_loop loop;
    cgroup_home home(key, dir.path());
    const auto cgroup = home.make("w", resource_spec());
    auto wrong = in(cgroup, "");
    wrong.argv = {"/nonexistent/program"};
    const auto of_program = launch_failure_of(loop, wrong);
    BOOST_TEST(std::string_view(of_program.what()).find("its program '/nonexistent/program': No such file") !=
                   std::string::npos,
               of_program.what());
    wrong = in(cgroup, "");
    wrong.cwd = "/nonexistent";
    const auto of_directory = launch_failure_of(loop, wrong);
    BOOST_TEST(std::string_view(of_directory.what()).find("its directory '/nonexistent': No such file") !=
                   std::string::npos,
               of_directory.what());
    BOOST_TEST(!cgroup_populated(cgroup.path()));
}

BOOST_AUTO_TEST_SUITE_END()
