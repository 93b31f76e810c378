#include "unit/registry/registry.hpp"

#include <boost/test/unit_test.hpp>

#include "fixtures/units.hpp"

using hob::error_kind;
using hob::test::failure_of;
using hob::test::units;

namespace {

std::string state_of(units& u, const std::string& name) {
    const auto status = u.registry.status(name);
    return status ? std::string(name_of(status->state)) : "gone";
}

pid_t pid_of(units& u, const std::string& name) { return u.registry.status(name)->pid; }

}  // namespace

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(an_unknown_unit_gets_a_suggestion) {
    units u(units::rpc("clangd"));
    const auto failed = failure_of([&] { u.loop.run(u.registry.call("clang", "x", "", std::nullopt)); });
    BOOST_TEST((failed.kind() == error_kind::unit_unknown));
    BOOST_TEST(failed.what() == "cannot call 'clang': there is no such unit");
    BOOST_TEST(failed.hint() == "did you mean 'clangd'?");
}

BOOST_AUTO_TEST_CASE(only_workers_are_called_and_tasks_are_told_but_not_run) {
    units u("[service.db]\nrun = \"true\"\n[task.t]\nrun = \"true\"\n");
    BOOST_TEST(state_of(u, "db") == "stopped");
    BOOST_TEST(state_of(u, "t") == "idle");
    BOOST_TEST(failure_of([&] { u.loop.run(u.registry.call("db", "x", "", std::nullopt)); }).what() ==
               "cannot call 'db': it is a service, and only workers are called");
    BOOST_TEST(failure_of([&] { u.loop.run(u.registry.call("t", "x", "", std::nullopt)); }).what() ==
               "cannot call 't': it is a task, and only workers are called");
}

BOOST_AUTO_TEST_CASE(U06_a_reload_touches_only_what_changed) {
    units u(units::rpc("a") + units::rpc("b") + units::rpc("c"));
    for (const char* name : {"a", "b", "c"})
        u.loop.run(u.registry.start(name, std::nullopt));
    const pid_t a = pid_of(u, "a"), b = pid_of(u, "b"), c = pid_of(u, "c");
    const auto difference =
        u.apply(units::rpc("a") + units::rpc("b", "call_timeout = \"7s\"") + units::rpc("d"));
    BOOST_TEST(difference.unchanged == std::vector<std::string>{"a"}, boost::test_tools::per_element());
    BOOST_TEST(difference.changed == std::vector<std::string>{"b"}, boost::test_tools::per_element());
    BOOST_TEST(difference.added == std::vector<std::string>{"d"}, boost::test_tools::per_element());
    BOOST_TEST(difference.removed == std::vector<std::string>{"c"}, boost::test_tools::per_element());
    BOOST_TEST(pid_of(u, "a") == a);
    BOOST_TEST(state_of(u, "c") == "gone");
    u.loop.run(u.registry.call("b", "echo", "1", std::nullopt));
    BOOST_TEST(pid_of(u, "b") != b);
    BOOST_TEST(units::is_gone(b));
    u.loop.until([&] { return units::is_gone(c); });
}

BOOST_AUTO_TEST_CASE(U06_a_worker_removed_and_added_again_runs_once) {
    units u(units::rpc("w"));
    const pid_t first = u.pid();
    u.apply("[worker.other]\nrun = [\"cat\"]\nprotocol = \"lines\"\n");
    u.apply(units::rpc("w"));
    const pid_t second = u.pid();
    BOOST_TEST(units::is_gone(first));
    BOOST_TEST(!units::is_gone(second));
}

BOOST_AUTO_TEST_CASE(stop_holds_a_worker_until_start) {
    units u(units::rpc("w"));
    u.pid();
    u.stop();
    const auto failed = failure_of([&] { u.pid(); });
    BOOST_TEST(failed.what() == "cannot call 'w': it was stopped");
    BOOST_TEST(failed.hint() == "hob start w");
    BOOST_TEST(u.db.stopped_by_user("w"));
    u.loop.run(u.registry.start("w", std::nullopt));
    BOOST_TEST(state_of(u, "w") == "warm");
    u.pid();
}

BOOST_AUTO_TEST_CASE(D01_stop_all_ends_everything_after_what_depends_on_it) {
    units u(units::rpc("base") + units::rpc("top", "after = [\"base\"]"));
    for (const char* name : {"base", "top"})
        u.loop.run(u.registry.start(name, std::nullopt));
    u.events.clear();
    u.loop.run(u.registry.stop_all());
    BOOST_TEST(!u.registry.anything_running());
    std::string order;
    for (const auto& [event, params] : u.events) {
        if (params.find("\"to\":\"cold\"") != std::string::npos)
            order += params.find("\"unit\":\"top\"") != std::string::npos ? "t" : "b";
    }
    BOOST_TEST(order == "tb");
    BOOST_TEST((failure_of([&] { u.loop.run(u.registry.call("top", "x", "", std::nullopt)); }).kind() ==
                error_kind::cancelled));
}

BOOST_AUTO_TEST_CASE(D04_kill_all_ends_a_worker_that_ignores_its_stop_signal_at_once) {
    units u(units::rpc("w", "stop = { timeout = \"60s\" }", "ignore-term"));
    const pid_t pid = u.pid();
    u.registry.kill_all();
    u.loop.run(u.registry.stop_all(), std::chrono::seconds(20));
    BOOST_TEST(units::is_gone(pid));
}

BOOST_AUTO_TEST_CASE(a_record_is_kept_while_a_worker_runs) {
    units u(units::rpc("w"));
    const pid_t pid = u.pid();
    BOOST_REQUIRE(u.db.processes().size() == 1u);
    BOOST_TEST(u.db.processes()[0].pid == pid);
    u.stop();
    BOOST_TEST(u.db.processes().empty());
}

BOOST_AUTO_TEST_SUITE_END()
