// watch in a service: a change of its files restarts it.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string watched(const std::string& script, const std::string& more = {}) {
    return service("s", "echo life >> lives; " + script, "watch = ['conf/**']\ndebounce = '50ms'\n" + more);
}

std::size_t lives(sandbox& box) { return count(slurp(box.project() + "/lives"), "life"); }

bool is_watching(sandbox& box, std::size_t times = 1) {
    return wait_until([&] { return count(slurp(box.daemon_log()), "\"msg\":\"watching\"") >= times; });
}

void begin(sandbox& box, const std::string& toml) {
    box.shell("mkdir conf");
    box.write("conf/a", "1");
    box.config(toml);
    box.run({"start", "s"});
    BOOST_REQUIRE(is_watching(box));
}

bool has_lived(sandbox& box, std::size_t times) {
    return wait_until([&] { return lives(box) >= times; }, 20s);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_watch)

BOOST_AUTO_TEST_CASE(a_change_restarts_it_once_and_is_not_counted) {
    sandbox box;
    begin(box, watched("exec sleep 1000"));
    box.shell("for i in 1 2 3 4 5; do echo $i > conf/$i; done");
    BOOST_TEST(has_lived(box, 2));
    BOOST_TEST(box.run({"wait", "s"}).status == 0);
    box.shell("echo x > elsewhere");
    let_pass(500ms);
    BOOST_TEST(lives(box) == 2u);
    BOOST_TEST(unit_member(box, "s", "restarts") == "0");
    const std::string log = box.run({"logs", "s", "-v"}).out;
    BOOST_TEST(log.find("restarted: conf/1 and 4 more changed") != std::string::npos, log);
}

BOOST_AUTO_TEST_CASE(a_change_starts_what_failed_or_backs_off_and_never_what_was_stopped) {
    sandbox box;
    begin(box, watched("grep -q good conf/a || exit 1; exec sleep 1000", "restart = 'never'"));
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    box.shell("echo good > conf/a");
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }, 20s));
    BOOST_REQUIRE(box.run({"stop", "s"}).status == 0);
    const std::size_t before = lives(box);
    box.shell("echo good again > conf/a");
    let_pass(700ms);
    BOOST_TEST(lives(box) == before);

    box.config(
        watched("grep -q good conf/a || exit 1; exec sleep 1000", "backoff = { min = '1h', max = '1h' }"));
    box.shell("echo bad > conf/a");
    box.run({"start", "s"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "backoff"; }));
    BOOST_REQUIRE(is_watching(box, 2));
    box.shell("echo good > conf/a");
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }, 20s));
}

BOOST_AUTO_TEST_CASE(what_is_ignored_restarts_nothing) {
    sandbox box;
    box.write(".gitignore", "*.log\n");
    begin(box, watched("exec sleep 1000", "ignore = ['conf/tmp/**']"));
    box.shell("mkdir -p conf/tmp; echo x > conf/tmp/a; echo x > conf/x.log");
    let_pass(700ms);
    BOOST_TEST(lives(box) == 1u);
    box.shell("echo x > conf/b");
    BOOST_TEST(has_lived(box, 2));
}

BOOST_AUTO_TEST_CASE(U10_a_service_that_changes_what_it_watches_is_not_restarted_for_ever) {
    sandbox box;
    begin(box, watched("date +%N > conf/stamp; exec sleep 1000", "ready = { delay = '0s' }"));
    const auto detail = [&] { return unit_member(box, "s", "detail"); };
    BOOST_TEST(wait_until([&] { return detail().find("conf/stamp") != std::string::npos; }, 60s), detail());
    const std::size_t held_after = lives(box);
    BOOST_TEST(held_after >= 10u);
    BOOST_TEST(held_after <= 13u);
    let_pass(700ms);
    BOOST_TEST(lives(box) == held_after);
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    box.config(watched("date +%N > conf/stamp; exec sleep 1000",
                       "ready = { delay = '0s' }\nignore = ['conf/stamp']"));
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_TEST(wait_until([&] { return detail().find("conf/stamp") == std::string::npos; }), detail());
    box.shell("echo x > conf/b");
    BOOST_TEST(wait_until([&] { return lives(box) > held_after; }, 20s));
}

BOOST_AUTO_TEST_CASE(tasks_in_after_are_not_run_again) {
    sandbox box;
    begin(box, "[task.migrate]\nrun = \"sh -c 'echo run >> runs'\"\n" +
                   watched("exec sleep 1000", "after = ['migrate']"));
    BOOST_TEST(slurp(box.project() + "/runs") == "run\n");
    box.shell("echo x > conf/b");
    BOOST_TEST(has_lived(box, 2));
    BOOST_TEST(box.run({"wait", "s"}).status == 0);
    BOOST_TEST(slurp(box.project() + "/runs") == "run\n");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_added_applies_without_a_restart) {
    sandbox box;
    box.shell("mkdir conf");
    box.write("conf/a", "1");
    box.config(service("s", "echo life >> lives; exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    box.config(watched("exec sleep 1000"));
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_REQUIRE(is_watching(box));
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    box.shell("echo x > conf/b");
    BOOST_TEST(has_lived(box, 2));
}

BOOST_AUTO_TEST_CASE(nginx_serves_its_changed_configuration) {
    sandbox box;
    if (!exists("/usr/sbin/nginx") && !require_program("nginx")) return;
    const int port = free_port();
    const auto configured = [&](int status) {
        return fmt::format(
            "daemon off; pid {0}/nginx.pid; error_log stderr; events {{}}\n"
            "http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p;\n"
            "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n"
            "server {{ listen 127.0.0.1:{1}; location / {{ return {2}; }} }} }}\n",
            box.root(), port, status);
    };
    const auto answer = [&] {
        return box.shell(fmt::format("curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:{}/", port))
            .out;
    };
    box.write("nginx.conf", configured(201));
    box.config(
        fmt::format("[service.web]\nrun = '/usr/sbin/nginx -p {0} -e stderr -c {1}/nginx.conf'\n"
                    "ready = {{ tcp = {2} }}\nwatch = ['nginx.conf']\n",
                    box.root(), box.project(), port));
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    BOOST_REQUIRE(is_watching(box));
    BOOST_TEST(answer() == "201");
    box.write("nginx.conf", configured(202));
    BOOST_TEST(wait_until([&] { return answer() == "202"; }, 30s));
    box.write("nginx.conf", "this is no configuration");
    BOOST_TEST(wait_until([&] { return unit_member(box, "web", "state") == "backoff"; }, 30s));
    box.write("nginx.conf", configured(203));
    BOOST_TEST(wait_until([&] { return answer() == "203"; }, 30s));
}

BOOST_AUTO_TEST_SUITE_END()
