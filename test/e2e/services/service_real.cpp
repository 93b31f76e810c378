// PostgreSQL and Redis as services, with a third that needs both; and very many services at once.

#include <fmt/format.h>
#include <pwd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"
#include "harness/small_disk.hpp"

using namespace hob::test;

namespace {

const std::string postgres_bin = "/usr/lib/postgresql/15/bin";

run_options within(milliseconds limit) {
    run_options options;
    options.limit = limit;
    return options;
}

// PostgreSQL does not run as root.
sandbox_options database_user() {
    sandbox_options options;
    if (::geteuid() == 0) {
        const passwd* entry = ::getpwnam("postgres");
        if (entry != nullptr) options.uid = entry->pw_uid;
    }
    return options;
}

struct ports {
    int postgres = free_port();
    int redis = free_port();
};

void configure(sandbox& box, const ports& on) {
    box.config(fmt::format(R"(
[service.db]
run = "{bin}/postgres -D data -p {db} -k {root} -c listen_addresses=127.0.0.1"
ready = {{ exec = "{bin}/pg_isready -q -h 127.0.0.1 -p {db}", timeout = "60s" }}
stop = {{ signal = "INT", timeout = "10s" }}
backoff = {{ min = "50ms" }}

[service.cache]
run = "redis-server --port {redis} --bind 127.0.0.1 --save '' --dir {root}"
ready = {{ tcp = {redis}, timeout = "60s" }}
backoff = {{ min = "50ms" }}

[service.app]
run = ["/bin/sh", "-c", "{bin}/psql -h 127.0.0.1 -p {db} -d postgres -Atc 'select 40 + 2' && redis-cli -p {redis} ping && exec sleep 1000"]
ready = {{ log = "^PONG$", timeout = "60s" }}
after = ["db", "cache"]
backoff = {{ min = "50ms" }}
)",
                           fmt::arg("bin", postgres_bin), fmt::arg("db", on.postgres),
                           fmt::arg("redis", on.redis), fmt::arg("root", box.root())));
}

bool has_servers() {
    return require_program("redis-server") &&
           (exists(postgres_bin + "/postgres") || require_program("postgres"));
}

bool answers(sandbox& box, const ports& on) {
    return box.shell(fmt::format("{}/psql -h 127.0.0.1 -p {} -d postgres -Atc 'select 1'", postgres_bin,
                                 on.postgres))
                   .out == "1\n" &&
           box.shell(fmt::format("redis-cli -p {} ping", on.redis)).out == "PONG\n";
}

bool all_ready(sandbox& box) {
    for (const char* unit : {"db", "cache", "app"}) {
        if (box.run({"wait", unit, "--timeout", "60s"}, within(90s)).status != 0) return false;
    }
    return true;
}

void begin(sandbox& box, const ports& on) {
    configure(box, on);
    const auto made = box.shell(postgres_bin + "/initdb -A trust -N -D data >init.log 2>&1", within(120s));
    BOOST_REQUIRE_MESSAGE(made.status == 0, made.text() + slurp(box.project() + "/init.log"));
    const auto started = box.run({"start", "app"}, within(120s));
    BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
    BOOST_TEST(answers(box, on));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_real)

BOOST_AUTO_TEST_CASE(
    D03_postgresql_and_redis_come_up_in_order_and_survive_kills_of_themselves_and_of_the_daemon) {
    if (!has_servers()) return;
    sandbox box(database_user());
    const ports on;
    begin(box, on);
    BOOST_TEST(box.run({"logs", "app"}).out.find(" 42\n") != std::string::npos);

    for (const char* unit : {"db", "cache"}) {
        const auto pid = unit_member(box, unit, "pid");
        ::kill(std::atoi(pid.c_str()), SIGKILL);
        BOOST_TEST(wait_until([&] { return unit_member(box, unit, "restarts") == "1"; }, 30s), unit);
        BOOST_TEST(all_ready(box));
        BOOST_TEST(answers(box, on), unit);
    }
    const auto pids = [&] { return unit_member(box, "db", "pid") + " " + unit_member(box, "cache", "pid"); };
    for (int i = 0; i < 3; ++i) {
        const std::string before = pids();
        const pid_t daemon = box.daemon_pid();
        ::kill(daemon, SIGKILL);
        BOOST_REQUIRE(wait_until([&] { return !process_lives(daemon); }));
        BOOST_TEST(all_ready(box));
        BOOST_TEST(answers(box, on));
        BOOST_TEST(pids() == before);
    }
    box.kill_daemon_and_keeper();
    BOOST_TEST(all_ready(box));
    BOOST_TEST(answers(box, on));
    const auto stopped = box.run({"stop"}, within(60s));
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(box.processes().size() == 1u);
    // An orderly end, so no recovery at the next start.
    BOOST_TEST(box.run({"logs", "db"}).out.find("database system is shut down") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(D07_services_stay_up_and_restart_while_the_disk_of_hobs_state_is_full) {
    if (!has_servers() || !require_root()) return;
    const sandbox_options owner = database_user();
    sandbox box(owner);
    small_disk disk(box.state(), 8192, owner.uid.value_or(0));
    const ports on;
    begin(box, on);
    disk.fill();

    ::kill(std::atoi(unit_member(box, "cache", "pid").c_str()), SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "cache", "restarts") == "1"; }, 30s));
    BOOST_TEST(all_ready(box));
    BOOST_TEST(answers(box, on));
    BOOST_TEST(box.run({"restart", "app"}, within(90s)).status == 0);
    BOOST_TEST(box.run({"status"}).status == 0);

    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGKILL);
    BOOST_REQUIRE(wait_until([&] { return !process_lives(daemon); }));
    BOOST_TEST(all_ready(box));
    BOOST_TEST(answers(box, on));
    BOOST_TEST(box.run({"stop", "app"}, within(60s)).status == 0);

    disk.free();
    const auto again = box.run({"start", "app"}, within(120s));
    BOOST_TEST(again.status == 0, again.text());
    BOOST_TEST(answers(box, on));
    BOOST_TEST(box.run({"logs", "app", "-n", "1"}).out.find("PONG") != std::string::npos);
    BOOST_TEST(box.run({"shutdown"}, within(60s)).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }));
}

BOOST_AUTO_TEST_CASE(a_thousand_services_start_show_and_stop) {
    sandbox box;
    const int many = scaled(1000);
    std::string config;
    for (int i = 0; i < many; ++i)
        config += fmt::format("[service.s{}]\nrun = \"sleep infinity\"\n", i);
    box.config(config);
    const run_options patient = within(240s);
    const auto started = box.run({"start"}, patient);
    BOOST_TEST(started.status == 0, started.err);
    const auto status = box.run({"status", "--json"}, patient);
    BOOST_TEST(count(status.out, "\"state\":\"ready\"") == static_cast<std::size_t>(many));
    const pid_t daemon = box.daemon_pid();
    // On a busy machine what was written last may still be on its way.
    BOOST_TEST(wait_until(
        [&] {
            const long before = context_switches(daemon);
            let_pass(2s);
            return context_switches(daemon) == before;
        },
        30s));
    const auto stopped = box.run({"stop"}, patient);
    BOOST_TEST(stopped.status == 0, stopped.err);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
