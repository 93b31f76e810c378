// doc/protocol.md section 6.12: a unit starts by itself only if the user has named it as it is defined now.

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <csignal>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string sleeper(const std::string& name, const std::string& keys = {}) {
    return service(name, "exec sleep 1000", keys);
}

std::string automatic(const std::string& name, const std::string& command = "exec sleep 1000") {
    return service(name, command, "autostart = true");
}

bool is_new(sandbox& box, const std::string& unit) { return unit_member(box, unit, "new") == "true"; }

// Kills daemon and keeper; the next command starts another.
void lose_daemon(sandbox& box) {
    box.kill_daemon_and_keeper();
}

// Starts another daemon, and waits until what it starts by itself is up.
void next_daemon(sandbox& box, const std::string& comes_up) {
    lose_daemon(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"wait", comes_up, "--timeout", "20s"}).status == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(consent)

BOOST_AUTO_TEST_CASE(U34_a_unit_that_is_added_later_does_not_start_by_itself) {
    sandbox box;
    box.config(automatic("web"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    box.config(automatic("web") + automatic("evil", "touch evil; exec sleep 1000") +
               "[task.t]\nrun = \"touch evil\"\non_start = true\n");
    next_daemon(box, "web");
    BOOST_TEST(is_new(box, "evil"));
    BOOST_TEST(is_new(box, "t"));
    BOOST_TEST(!is_new(box, "web"));
    BOOST_TEST(unit_member(box, "evil", "state") == "stopped");
    const auto status = box.run({"status"});
    BOOST_TEST(status.out.find("new; accepted by: hob start evil") != std::string::npos, status.out);
    BOOST_TEST(!exists(box.project() + "/evil"));
    BOOST_TEST(box.run({"start", "evil"}).status == 0);
    BOOST_TEST(!is_new(box, "evil"));
    BOOST_TEST(is_new(box, "t"));
    next_daemon(box, "evil");
}

BOOST_AUTO_TEST_CASE(U34_a_changed_definition_is_new_again_even_for_a_service_that_was_up) {
    sandbox box;
    box.config(sleeper("web") + sleeper("same"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    box.config(service("web", "touch evil; exec sleep 1000") + sleeper("same", "max_restarts = 7"));
    next_daemon(box, "same");
    BOOST_TEST(is_new(box, "web"));
    BOOST_TEST(unit_member(box, "web", "state") == "stopped");
    BOOST_TEST(!exists(box.project() + "/evil"));
    box.config(sleeper("web") + sleeper("same"));
    next_daemon(box, "web");  // that definition was named
}

BOOST_AUTO_TEST_CASE(U34_autostart_that_is_added_to_a_named_unit_is_new) {
    sandbox box;
    box.config(sleeper("a") + sleeper("b"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    box.config(sleeper("a") + automatic("b"));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(is_new(box, "b"));
    BOOST_TEST(unit_member(box, "b", "state") == "stopped");
}

BOOST_AUTO_TEST_CASE(U34_what_a_named_unit_waits_for_is_named_with_it_and_not_what_is_added_later) {
    sandbox box;
    box.config(sleeper("db") + service("web", "exec sleep 1000", "autostart = true\nafter = [\"db\"]"));
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    BOOST_TEST(!is_new(box, "db"));
    next_daemon(box, "web");
    box.config(service("db", "touch evil; exec sleep 1000") +
               service("web", "exec sleep 1000", "autostart = true\nafter = [\"db\"]"));
    lose_daemon(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(is_new(box, "db"));
    BOOST_TEST(!is_new(box, "web"));
    BOOST_TEST(unit_member(box, "web", "state") == "stopped");
    BOOST_TEST(!exists(box.project() + "/evil"));
    BOOST_TEST(unit_member(box, "web", "detail") == "it waits for a new unit; accepted by: hob start web");
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(!is_new(box, "db"));
}

BOOST_AUTO_TEST_CASE(U34_what_names_no_unit_consents_to_nothing) {
    sandbox box;
    box.config(automatic("web", "touch evil; exec sleep 1000"));
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(box.run({"start", "web", "wbe"}).status == 1);
    BOOST_TEST(box.run({"run", "--", "hob", "start", "web"}).status == 0);  // from inside a run
    BOOST_TEST(box.run({"reload", "--dry-run"}).status == 0);
    BOOST_TEST(is_new(box, "web"));
    ::unlink((box.project() + "/evil").c_str());
    lose_daemon(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(unit_member(box, "web", "state") == "stopped");
    BOOST_TEST(!exists(box.project() + "/evil"));
}

BOOST_AUTO_TEST_CASE(U34_a_hangup_applies_the_file_and_consents_to_nothing) {
    sandbox box;
    box.config(sleeper("web"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const std::string pid = unit_member(box, "web", "pid");
    box.config(service("web", "touch evil; exec sleep 1000") +
               automatic("added", "touch evil; exec sleep 1000"));
    ::kill(box.daemon_pid(), SIGHUP);
    BOOST_TEST(wait_until([&] { return is_new(box, "added"); }));
    BOOST_TEST(is_new(box, "web"));
    BOOST_TEST(unit_member(box, "web", "pid") == pid);
    BOOST_TEST(!exists(box.project() + "/evil"));
}

BOOST_AUTO_TEST_CASE(U34_start_and_reload_without_names_accept_all_and_list_what_starts_by_itself) {
    sandbox box;
    const std::string tasks = "[task.t]\nrun = \"true\"\nevery = \"1h\"\n[task.manual]\nrun = \"true\"\n";
    box.config(tasks);
    const auto started = box.run({"start"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(started.out.find("by itself from now on: t\n") != std::string::npos, started.out);
    BOOST_TEST(!is_new(box, "manual"));
    BOOST_TEST(unit_member(box, "t", "state") == "scheduled");
    BOOST_TEST(box.run({"start"}).out.find("by itself") == std::string::npos);
    box.config(tasks + automatic("web"));
    const auto reloaded = box.run({"reload"});
    BOOST_TEST(reloaded.status == 0, reloaded.text());
    BOOST_TEST(reloaded.out == "added   web\nby itself from now on: web\n");
    BOOST_TEST(box.run({"wait", "web", "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U34_without_a_daemon_new_units_show_as_well) {
    sandbox box;
    box.config(automatic("web"));
    const auto before = box.run({"status", "--json"});
    BOOST_TEST(json_at(before.out, "/units/0/new").value_or("-") == "true");
    BOOST_TEST(box.run({"doctor"}).out.find("new, so not started by itself: web") != std::string::npos);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/new").value_or("-") == "-");
    BOOST_TEST(box.run({"doctor"}).out.find("every unit that starts by itself is accepted") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(U34_an_env_file_that_others_may_write_is_refused) {
    sandbox box;
    box.write(".env", "A=1\n");
    box.config(service("web", "exec sleep 1000", "env_file = \".env\""));
    ::chmod((box.project() + "/.env").c_str(), 0666);
    const auto started = box.run({"start", "web"});
    BOOST_TEST(started.status == 2, started.text());
    BOOST_TEST(started.err.find("everyone may write to it") != std::string::npos, started.err);
    const auto as_json = box.run({"start", "web", "--json"});
    BOOST_TEST(json_at(as_json.err, "/error/code").value_or("") == "untrusted_config");
    ::chmod((box.project() + "/.env").c_str(), 0644);
    BOOST_TEST(box.run({"start", "web"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
