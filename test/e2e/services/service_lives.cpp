#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string at(const std::string& json, const std::string& pointer) {
    return json_at(json, pointer).value_or("?");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_lives)

BOOST_AUTO_TEST_CASE(each_process_of_a_service_is_a_life_with_its_begin_and_end) {
    sandbox box;
    box.config(
        "[service.web]\nrun = 'echo up; exec sleep 1000'\n"
        "[service.sick]\nrun = 'echo broken; exit 9'\nmax_restarts = 1\nbackoff = { min = '10ms' }\n"
        "[service.needs]\nrun = ['sleep', '1000']\nafter = ['web']\n");
    BOOST_TEST(box.run({"start", "needs"}).status == 0);
    BOOST_TEST(box.run({"start", "sick"}).status == 1);
    BOOST_TEST(wait_until([&] {
        return at(box.run({"runs", "sick", "--json"}).out, "/1/state") == "failed" &&
               at(box.run({"runs", "sick", "--json"}).out, "/0/state") == "failed";
    }));
    const std::string web = box.run({"runs", "web", "--json"}).out;
    BOOST_TEST(at(web, "/0/kind") == "life");
    BOOST_TEST(at(web, "/0/state") == "running");
    BOOST_TEST(at(web, "/0/trigger") == "after");
    BOOST_TEST(at(web, "/0/restarts") == "0");
    BOOST_TEST(at(web, "/0/ready_at").starts_with("20"), web);
    BOOST_TEST(at(web, "/0/ended_at") == "null");
    const std::string sick = box.run({"runs", "sick", "--json"}).out;
    BOOST_TEST(at(sick, "/1/trigger") == "manual");
    BOOST_TEST(at(sick, "/0/trigger") == "retry");
    BOOST_TEST(at(sick, "/0/restarts") == "1");
    BOOST_TEST(at(sick, "/0/exit") == "9");
    BOOST_TEST(at(sick, "/0/ready_at") == "null");
    BOOST_TEST(at(sick, "/0/cause").find("exited with status 9") != std::string::npos, sick);
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    BOOST_TEST(box.run({"stop", "web"}).status == 0);
    const std::string stopped = box.run({"runs", "web", "--json"}).out;
    BOOST_TEST(at(stopped, "/0/state") == "stopped");
    BOOST_TEST(at(stopped, "/0/cause") == "asked to stop");
    BOOST_TEST(at(stopped, "/1/state") == "stopped");
    BOOST_TEST(at(stopped, "/1/cause") == "asked to restart");
    BOOST_TEST(at(stopped, "/1/signal") == "15");
    BOOST_TEST(!json_at(stopped, "/2/id"));
}

BOOST_AUTO_TEST_CASE(the_output_of_one_life_is_shown_and_followed_to_its_end) {
    sandbox box;
    box.config("[service.web]\nrun = 'echo process $$; exec sleep 1000'\n");
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(box.run({"restart", "web"}).status == 0);
    const std::string first = box.run({"logs", "--run", "1", "--raw"}).out;
    const std::string second = box.run({"logs", "--run", "2", "--raw"}).out;
    BOOST_TEST(count(first, "process ") == 1u, first);
    BOOST_TEST(count(second, "process ") == 1u, second);
    BOOST_TEST(first != second);
    auto follower = box.start({"logs", "--run", "2", "-f", "--raw"});
    auto waiter = box.start({"wait", "--run", "2"});
    BOOST_TEST(box.run({"stop", "web"}).status == 0);
    BOOST_TEST(follower.wait().status == 0);
    BOOST_TEST(waiter.wait().status == 128 + SIGTERM);
    const auto full = box.run({"runs", "2"});
    BOOST_TEST_CONTEXT(full.text()) {
        BOOST_TEST(full.out.starts_with("life 2 of web: stopped, signal 15 (TERM)\n"));
        BOOST_TEST(full.out.find("\nready ") != std::string::npos);
        BOOST_TEST(full.out.find("\n  process ") != std::string::npos);
        BOOST_TEST(full.out.ends_with("all of it: hob logs --run 2\n"));
    }
}

BOOST_AUTO_TEST_CASE(a_life_whose_daemon_and_keeper_were_killed_is_lost) {
    sandbox box;
    box.config("[service.web]\nrun = ['sleep', '1000']\n");
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    box.kill_daemon_and_keeper();
    BOOST_TEST(at(box.run({"runs", "web", "--json"}).out, "/0/state") == "lost");
    BOOST_TEST(at(box.run({"runs", "--failed", "--json"}).out, "/0/state") == "lost");
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] {
        return at(box.run({"runs", "web", "--json"}).out, "/0/trigger") == "start";
    }));
    BOOST_TEST(at(box.run({"runs", "web", "--json"}).out, "/1/state") == "lost");
}

BOOST_AUTO_TEST_CASE(a_start_that_cannot_be_launched_is_a_failed_life) {
    sandbox box;
    box.config("[service.web]\nrun = ['/nonexistent/program']\nrestart = 'never'\n");
    BOOST_TEST(box.run({"start", "web"}).status == 1);
    const std::string lives = box.run({"runs", "web", "--json"}).out;
    BOOST_TEST(at(lives, "/0/state") == "failed", lives);
    BOOST_TEST(at(lives, "/0/cause").find("No such file") != std::string::npos, lives);
}

BOOST_AUTO_TEST_CASE(two_hundred_lives_are_remembered_unless_keep_says_otherwise) {
    sandbox box;
    box.config(
        "[service.sick]\nrun = 'exit 1'\nkeep = 3\nmax_restarts = 5\n"
        "backoff = { min = '1ms', max = '1ms' }\n");
    BOOST_TEST(box.run({"start", "sick"}).status == 1);
    BOOST_TEST(wait_until([&] { return at(box.run({"runs", "sick", "--json"}).out, "/0/restarts") == "5"; }));
    BOOST_TEST(wait_until([&] {
        return count(box.run({"runs", "-n", "all", "--json"}).out, "\"id\":") == 3u;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
