// examples/monorepo, used from the directory of each package.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr const char* packages[] = {"lib", "api", "web", "docs", "jobs"};

run_options within(const std::string& directory) {
    run_options options;
    options.cwd = directory;
    return options;
}

bool can_run() { return require_program("python3") && require_program("redis-server"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(example_monorepo)

BOOST_AUTO_TEST_CASE(each_package_builds_and_serves_from_its_directory) {
    if (!can_run()) return;
    sandbox box;
    BOOST_REQUIRE(box.shell("cp -r " HOB_SOURCE_DIR "/examples/monorepo/. .").status == 0);
    const auto checked = box.run({"check"});
    BOOST_TEST(checked.status == 0, checked.text());
    for (const std::string package : packages) {
        const auto built = box.run({"run", "build"}, within(box.project() + "/" + package));
        BOOST_TEST(built.status == 0, built.text());
        BOOST_TEST(exists(box.project() + "/" + package + "/dist"));
        const auto started = box.run({"start", "dev"}, within(box.project() + "/" + package));
        BOOST_TEST(started.status == 0, started.text());
        BOOST_TEST(unit_member(box, package + ".dev", "state") == "ready");
    }
    BOOST_TEST(box.run({"logs", "jobs.dev", "--raw"}).out.find("works on redis://127.0.0.1:64") !=
               std::string::npos);
    BOOST_TEST(box.shell("eval \"$(hob env)\"; exec 3<>/dev/tcp/127.0.0.1/$WEB_PORT").status == 0);
    BOOST_TEST(box.run({"run", "build"}).out == "all packages are built\n");
    BOOST_TEST(box.run({"stop", "@front"}).status == 0);
    BOOST_TEST(unit_member(box, "docs.dev", "state") == "stopped");
    BOOST_TEST(unit_member(box, "api.dev", "state") == "ready");
}

BOOST_AUTO_TEST_CASE(a_second_checkout_runs_beside_the_first) {
    if (!can_run()) return;
    sandbox box;
    const std::string other = box.root() + "/other";
    BOOST_REQUIRE(box.shell("cp -r " HOB_SOURCE_DIR "/examples/monorepo/. . && cp -r . " + other).status ==
                  0);
    const auto first = box.run({"start"});
    const auto second = box.run({"start"}, within(other));
    BOOST_TEST(first.status == 0, first.text());
    BOOST_TEST(second.status == 0, second.text());
    for (const std::string name : {"DB_PORT", "API_PORT", "WEB_PORT", "DOCS_PORT"}) {
        const auto here = json_at(box.run({"status", "--json"}).out, "/ports/" + name);
        const auto there = json_at(box.run({"status", "--json"}, within(other)).out, "/ports/" + name);
        BOOST_TEST(here.value_or("none") != there.value_or("none"), name);
    }
    BOOST_TEST(unit_member(box, "lib.dev", "state") == "stopped");
    // Broken and repaired.
    const std::string api = unit_member(box, "api.dev", "pid");
    BOOST_REQUIRE(box.run({"signal", "db", "KILL"}).status == 0);
    BOOST_TEST(wait_until([&] {
        return unit_member(box, "api.dev", "pid") != api && unit_member(box, "api.dev", "state") == "ready";
    }));
    BOOST_TEST(unit_member(box, "api.dev", "restarts") == "0");
    box.write("hob.local.toml", "[service.\"x\"]\nrun = \"exec sleep 1000\"\n");
    BOOST_TEST(box.run({"start", "x"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
