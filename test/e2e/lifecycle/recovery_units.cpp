// Processes that a unit leaves behind are ended with it, however it ends, unless its `kill` spares them.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "fixtures/rpc_project.hpp"
#include "fixtures/unit_ends.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

void end_in_time(sandbox& box, way how) { BOOST_TEST(end_unit(box, how).elapsed < 8s, name_of(how)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(recovery_units)

BOOST_AUTO_TEST_CASE(D02_nothing_survives_any_way_to_end_a_unit_that_kills_all) {
    for (const way how : every_way) {
        sandbox box;
        box.config(rpc_worker("w", stopping(), "ignore-term"));
        made(box, "pid", "null");
        made(box, "spawn", R"(["sleep","1000"])");
        made(box, "spawn_away", R"(["1000"])");
        made(box, "spawn_away", R"(["1000","keep stdout"])");
        const pid_t stopped = made(box, "spawn", R"(["sleep","1001"])");
        ::kill(stopped, SIGSTOP);
        // A hundred children in a session of their own, and one more every few milliseconds.
        made(
            box, "spawn",
            R"(["setsid","bash","-c","trap '' TERM HUP; for i in {1..100}; do sleep 1000 & done; while :; do sleep 0.005; done"])");
        BOOST_REQUIRE(wait_until([&] { return box.processes().size() > 100; }));
        BOOST_REQUIRE(box.run({"call", "w", "stop_self"}).status == 0);
        end_in_time(box, how);
        const auto left = box.processes();
        const std::size_t daemons = how == way::stop || how == way::kill_and_start ? 1 : 0;
        BOOST_TEST(left.size() == daemons, name_of(how) << " left " << left.size());
    }
}

BOOST_AUTO_TEST_CASE(D02_kill_group_spares_exactly_what_left_the_group) {
    for (const way how : every_way) {
        sandbox box;
        box.expect_leftovers();
        box.config(rpc_worker("w", stopping("kill = \"group\""), "ignore-term"));
        const pid_t main = made(box, "pid", "null");
        const pid_t near = made(box, "spawn", R"(["sleep","1000"])");
        const pid_t away = made(box, "spawn_away", R"(["1000"])");
        end_in_time(box, how);
        BOOST_TEST(!process_lives(main), name_of(how));
        BOOST_TEST(!process_lives(near), name_of(how));
        BOOST_TEST(process_lives(away), name_of(how));
    }
}

BOOST_AUTO_TEST_CASE(D02_kill_main_spares_all_but_the_main_process) {
    for (const way how : every_way) {
        sandbox box;
        box.expect_leftovers();
        box.config(rpc_worker("w", stopping("kill = \"main\""), "ignore-term"));
        const pid_t main = made(box, "pid", "null");
        const pid_t near = made(box, "spawn", R"(["sleep","1000"])");
        const pid_t away = made(box, "spawn_away", R"(["1000"])");
        end_in_time(box, how);
        BOOST_TEST(!process_lives(main), name_of(how));
        BOOST_TEST(process_lives(near), name_of(how));
        BOOST_TEST(process_lives(away), name_of(how));
    }
}

BOOST_AUTO_TEST_CASE(D02_the_daemon_and_the_workers_of_another_project_started_inside_a_unit_survive) {
    for (const way how : every_way) {
        sandbox box;
        const std::string other = box.root() + "/other";
        BOOST_REQUIRE(box.shell("mkdir '" + other + "'").status == 0);
        box.write(other + "/hob.toml", rpc_worker("w", stopping()));
        box.config(rpc_worker("w", stopping()));
        // Inside the unit: `hob call` in the other project starts its daemon, and that daemon its worker.
        const auto inner = box.run(
            {"call", "w", "run", R"([")" + box.binary() + R"(","-C",")" + other + R"(","call","w","pid"])"});
        BOOST_REQUIRE_MESSAGE(inner.status == 0, inner.text());
        const pid_t second = box.daemon_pid(other);
        const pid_t second_worker = std::atoi(json_at(inner.out, "").value_or("0").c_str());
        BOOST_REQUIRE(second > 1);
        BOOST_REQUIRE(second_worker > 1);
        BOOST_TEST(second != box.daemon_pid());
        end_in_time(box, how);
        BOOST_TEST(process_lives(second), name_of(how));
        BOOST_TEST(process_lives(second_worker), name_of(how));
        run_options there;
        there.cwd = other;
        BOOST_TEST(box.run({"call", "w", "pid"}, there).out == std::to_string(second_worker) + "\n",
                   name_of(how));
        BOOST_TEST(box.run({"shutdown"}, there).status == 0);
        BOOST_TEST(!process_lives(second_worker));
    }
}

BOOST_AUTO_TEST_SUITE_END()
