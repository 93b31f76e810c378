// examples/web: started, used, broken and repaired.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/npm.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

bool can_run() {
    if (!require_program("redis-server")) return false;
    return require_npm(".bin/vite") && require_npm("redis");
}

struct with_web {
    sandbox box;
    bool there = can_run();

    with_web() {
        const auto copied = box.shell("cp -r " HOB_SOURCE_DIR "/examples/web/. . && ln -s " HOB_NPM
                                      "/node_modules node_modules");
        BOOST_REQUIRE(copied.status == 0);
    }
    void start() {
        run_options patient;
        patient.limit = 120s;
        const auto started = box.run({"--timeout", "100s", "start"}, patient);
        BOOST_REQUIRE(started.status == 0);
    }
    std::string state(const std::string& unit) { return unit_member(box, unit, "state"); }
    // In a shell with the ports and variables of the project.
    std::string shell(const std::string& script) { return box.shell("eval \"$(hob env)\"; " + script).out; }
    std::string order(const std::string& what, const std::string& token) {
        return shell(
            "python3 -c 'import sys, urllib.request as r\n"
            "try: print(r.urlopen(r.Request(sys.argv[1], method=\"POST\", "
            "headers={\"Authorization\": \"Bearer \" + sys.argv[2]})).status)\n"
            "except r.HTTPError as error: print(error.code)' $WEB_URL/api/order/" +
            what + " " + token);
    }
    bool logs(const std::string& unit, const std::string& text) {
        return wait_until([&] {
            return box.run({"logs", unit, "--raw"}).out.find(text) != std::string::npos;
        });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(example_web, with_web)

BOOST_AUTO_TEST_CASE(all_is_up_after_one_command_and_tests_itself) {
    if (!there) return;
    start();
    for (const char* unit : {"redis", "api", "queue", "web"})
        BOOST_TEST(state(unit) == "ready", unit);
    BOOST_TEST(box.run({"logs", "migrate", "--raw"}).out == "step 1 of 2 is done\nstep 2 of 2 is done\n");
    run_options patient;
    patient.limit = 90s;
    const auto tested = box.run({"run", "test"}, patient);
    BOOST_TEST(tested.status == 0, tested.text());
    BOOST_TEST(order("kettle", "wrong") == "401\n");
    BOOST_TEST(order("kettle", "change-me") == "200\n");
    BOOST_TEST(logs("queue", "sold a kettle for 30\n"));
}

BOOST_AUTO_TEST_CASE(it_goes_on_after_redis_and_the_queue_have_died) {
    if (!there) return;
    start();
    const std::string api = unit_member(box, "api", "pid"), queue = unit_member(box, "queue", "pid");
    BOOST_TEST(box.run({"signal", "redis", "KILL"}).status == 0);
    BOOST_TEST(wait_until([&] {
        return state("redis") == "ready" && state("queue") == "ready" &&
               unit_member(box, "queue", "pid") != queue;
    }));
    BOOST_TEST(unit_member(box, "api", "pid") == api);
    BOOST_TEST(wait_until([&] { return order("teapot", "change-me") == "200\n"; }));
    BOOST_TEST(logs("queue", "nobody sells 'teapot'"));
    BOOST_TEST(wait_until([&] { return state("queue") == "ready"; }));
    BOOST_TEST(order("hob", "change-me") == "200\n");
    BOOST_TEST(logs("queue", "sold a hob for 250\n"));
}

BOOST_AUTO_TEST_CASE(a_migration_that_fails_is_named_and_once_repaired_all_comes_up) {
    if (!there) return;
    const std::string migrate = slurp(box.project() + "/migrate.mjs");
    box.write("migrate.mjs", "throw new Error('no such table');\n");
    const auto broken = box.run({"start"});
    BOOST_TEST(broken.status == 1);
    for (const char* part : {"no such table", "'migrate'", "hint: hob logs migrate"})
        BOOST_TEST(broken.err.find(part) != std::string::npos, broken.err);
    BOOST_TEST(state("redis") == "ready");
    BOOST_TEST(state("api") == "failed");
    box.write("migrate.mjs", migrate);
    box.write(".env.local", "API_TOKEN=mine\n");
    start();
    BOOST_TEST(order("kettle", "change-me") == "401\n");
    BOOST_TEST(order("kettle", "mine") == "200\n");
}

BOOST_AUTO_TEST_SUITE_END()
