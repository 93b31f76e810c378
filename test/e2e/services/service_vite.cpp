// vite as a service with `watch`: it reloads its sources itself, and hob restarts it for what it does not
// see.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/npm.hpp"
#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

struct with_vite {
    sandbox box;
    bool there = require_program("node") && require_npm(".bin/vite");

    with_vite() {
        box.shell("ln -s " HOB_NPM "/node_modules node_modules && mkdir src");
        box.write("package.json", R"({"type":"module"})");
        box.write("index.html", "<title>%TITLE%</title><script type=module src=/src/main.js></script>");
        box.write("src/main.js", "console.log('first')\n");
        box.write("settings.json", R"({"title":"one"})");
        box.write("vite.config.js", R"js(import { readFileSync } from 'node:fs'
const title = JSON.parse(readFileSync('settings.json')).title
export default { clearScreen: false, plugins: [{ name: 't', transformIndexHtml: html => html.replace('%TITLE%', title) }] }
)js");
        box.config("[ports]\nWEB_PORT = " + std::to_string(free_port()) +
                   "\n[service.web]\n"
                   "run = 'node_modules/.bin/vite --port $WEB_PORT --strictPort --host 127.0.0.1'\n"
                   "ready = { http = 'http://127.0.0.1:${WEB_PORT}/', timeout = '60s' }\n"
                   "watch = ['settings.json', 'vite.config.js']\nbackoff = { min = '10ms' }\n");
    }
    void start() {
        run_options patient;
        patient.limit = 90s;
        const auto started = box.run({"start"}, patient);
        BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    }
    std::string page(const std::string& path) {
        return box
            .shell("eval \"$(hob env)\"; curl -s --max-time 5 \"http://127.0.0.1:$WEB_PORT" + path + "\"")
            .out;
    }
    bool shows(const std::string& path, const std::string& text) {
        return wait_until([&] { return page(path).find(text) != std::string::npos; }, 60s);
    }
    std::string pid() { return unit_member(box, "web", "pid"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(service_vite, with_vite)

BOOST_AUTO_TEST_CASE(its_sources_are_its_own_and_its_settings_restart_it) {
    if (!there || !require_program("curl")) return;
    start();
    const std::string first = pid();
    BOOST_TEST(shows("/", "<title>one</title>"));
    BOOST_TEST(shows("/src/main.js", "first"));
    box.write("src/main.js", "console.log('second')\n");
    BOOST_TEST(shows("/src/main.js", "second"));
    BOOST_TEST(pid() == first);
    box.write("settings.json", R"({"title":"two"})");
    BOOST_TEST(shows("/", "<title>two</title>"));
    BOOST_TEST(pid() != first);
    BOOST_TEST(unit_member(box, "web", "restarts") == "0");
}

BOOST_AUTO_TEST_CASE(a_setting_that_breaks_it_is_told_and_its_repair_starts_it) {
    if (!there || !require_program("curl")) return;
    start();
    box.write("settings.json", "{");
    BOOST_TEST(wait_until(
        [&] {
            const auto status = box.run({"status", "web", "--json"}).out;
            return status.find("exited with status 1 before it was ready") != std::string::npos;
        },
        60s));
    BOOST_TEST(box.run({"logs", "web", "--raw"}).out.find("JSON") != std::string::npos);
    box.write("settings.json", R"({"title":"three"})");
    BOOST_TEST(shows("/", "<title>three</title>"));
    BOOST_TEST(wait_until([&] { return unit_member(box, "web", "state") == "ready"; }, 30s));
}

BOOST_AUTO_TEST_SUITE_END()
