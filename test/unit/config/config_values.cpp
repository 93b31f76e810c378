// Good files, and what is read from them.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <variant>

#include "cmd/init/template.hpp"
#include "fixtures/config_values.hpp"
#include "paths.hpp"
#include "unit/config/config.hpp"
#include "util/signal_name.hpp"

using namespace hob::test;
using namespace hob::unit;
using namespace std::chrono_literals;

namespace util = hob::util;

BOOST_AUTO_TEST_SUITE(config_values)

BOOST_AUTO_TEST_CASE(no_file_and_an_empty_file_are_the_defaults) {
    for (const std::string text : {"", "\n", "# nothing\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF# nothing", "\r\n",
                                   "[daemon]\n[log]\n", "[worker]\n[service]\n[task]\n"}) {
        const config parsed = parse(text);
        BOOST_TEST((parsed.daemon == default_config().daemon), text);
        BOOST_TEST((parsed.log == default_config().log), text);
        BOOST_TEST(parsed.units.empty());
        BOOST_TEST(parsed.warnings.empty());
        BOOST_TEST(parsed.source_path == "/p/hob.toml");
    }
    BOOST_TEST(parse("").source_hash == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const config none = default_config();
    BOOST_TEST(!none.daemon.idle_timeout);
    BOOST_TEST((none.daemon.shutdown_timeout == 10s));
    BOOST_TEST(none.log.level == "info");
    BOOST_TEST(none.log.json);
    BOOST_TEST(none.log.max_size == 10u << 20);
    BOOST_TEST(none.log.max_files == 5);
    BOOST_TEST(!none.log.syslog);
    BOOST_TEST(none.source_path.empty());
    BOOST_TEST(none.source_hash.empty());
}

BOOST_AUTO_TEST_CASE(daemon_and_log) {
    const config parsed = parse(
        "[daemon]\nidle_timeout = \"30m\"\nshutdown_timeout = \"120s\"\n[log]\nlevel = \"info,ipc=debug\"\n"
        "format = \"text\"\nmax_size = \"64KiB\"\nmax_files = 2\nsyslog = true\n");
    BOOST_TEST((parsed.daemon.idle_timeout == 30min));
    BOOST_TEST((parsed.daemon.shutdown_timeout == 120s));
    BOOST_TEST(parsed.log.level == "info,ipc=debug");
    BOOST_TEST(!parsed.log.json);
    BOOST_TEST(parsed.log.max_size == 65'536u);
    BOOST_TEST(parsed.log.max_files == 2);
    BOOST_TEST(parsed.log.syslog);
}

BOOST_AUTO_TEST_CASE(the_defaults_of_every_kind) {
    for (const std::string kind : {"worker", "service", "task"}) {
        const unit_spec unit = only("[" + kind + ".x]\nrun = \"./x --y\"\n");
        BOOST_TEST(unit.name == "x");
        BOOST_TEST(name_of(unit.kind) == kind);
        BOOST_TEST(unit.run.text == "./x --y");
        BOOST_TEST(unit.env.empty());
        BOOST_TEST(unit.env_files.empty());
        BOOST_TEST(unit.enabled);
        BOOST_TEST(unit.groups.empty());
        BOOST_TEST(unit.cwd == "/p");
        BOOST_TEST(unit.stop.signal == SIGTERM);
        BOOST_TEST((unit.stop.timeout == 5s));
        BOOST_TEST((unit.output == output_streams::split));
        BOOST_TEST((unit.kill == (kind == "task" ? kill_scope::group : kill_scope::all)));
        BOOST_TEST(unit.after.empty());
        BOOST_TEST(!unit.on_failure);
        BOOST_TEST(unit.detail.index() == static_cast<std::size_t>(unit.kind));
    }
}

BOOST_AUTO_TEST_CASE(U24_services_and_tasks_can_have_one_stream) {
    for (const std::string kind : {"service", "task"}) {
        const config parsed = parse("[" + kind + ".x]\nrun = \"x\"\noutput = \"merged\"\n");
        BOOST_TEST((parsed.units.at(0).output == output_streams::merged));
    }
}

BOOST_AUTO_TEST_CASE(services_can_have_a_terminal_or_an_open_input) {
    const unit_spec usual = only("[service.x]\nrun = \"x\"\ntty = false\nstdin = \"null\"\n");
    BOOST_TEST(!usual.tty);
    BOOST_TEST((usual.input == input_source::null));
    BOOST_TEST(only("[service.x]\nrun = \"x\"\ntty = true\n").tty);
    BOOST_TEST(only("[worker.x]\nrun = \"x\"\ntty = true\n").tty);
    const unit_spec open =
        only("[service.x]\nrun = \"x\"\ntty = false\nstdin = \"open\"\noutput = \"merged\"\n");
    BOOST_TEST((open.input == input_source::open));
}

BOOST_AUTO_TEST_CASE(variables_are_texts_integers_and_booleans) {
    const config parsed = parse(
        "env = { A = \"x\", N = -4, T = true, F = false }\n[service.s]\nrun = \"s\"\nenv = { P = 5432 }\n");
    BOOST_TEST((parsed.env == variable_list{{"A", "x"}, {"N", "-4"}, {"T", "true"}, {"F", "false"}}));
    BOOST_TEST((parsed.units.at(0).shared_env == parsed.env));
    BOOST_TEST((parsed.units.at(0).env == variable_list{{"P", "5432"}}));
}

BOOST_AUTO_TEST_CASE(env_files_in_their_order_and_those_that_may_be_missing) {
    const unit_spec unit = only(
        "[task.t]\nrun = \"t\"\nenv_file = [\".env\", { path = \"/x/l\", required = false }, { path = \"b\" "
        "}]\n");
    BOOST_TEST((unit.env_files ==
                std::vector<env_file_spec>{{"/p/.env", true, {}}, {"/x/l", false, {}}, {"/p/b", true, {}}}));
}

BOOST_AUTO_TEST_CASE(limits_of_every_kind_of_unit) {
    for (const std::string kind : {"service", "worker", "task"}) {
        const std::string head = "[" + kind + ".x]\nrun = \"x\"\n";
        BOOST_TEST((only(head).resources == resource_spec()));
        const resource_spec some =
            only(head + "memory_max = \"512MiB\"\npids_max = 1\ncpu_weight = 10000\n").resources;
        BOOST_TEST(some.memory_max == 512u << 20);
        BOOST_TEST(some.pids_max == 1);
        BOOST_TEST(some.cpu_weight == 10'000);
    }
}

BOOST_AUTO_TEST_CASE(ports_groups_and_dependencies_that_restart) {
    const config parsed = parse(
        "[ports]\nWEB_PORT = 8080\n_B = 1\n"
        "[service.db]\nrun = \"db\"\nready = { tcp = \"${WEB_PORT}\" }\n"
        "[service.web]\nrun = \"web\"\ngroups = [\"front\"]\nenabled = false\nautostart = true\n"
        "after = [{ unit = \"db\", restart = true }]\nready = { unix = \"run/s\" }\n");
    BOOST_TEST((parsed.ports == port_list{{"WEB_PORT", 8080}, {"_B", 1}}));
    BOOST_TEST(std::get<service_spec>(parsed.units.at(0).detail).ready.written == "${WEB_PORT}");
    const unit_spec& web = parsed.units.at(1);
    BOOST_TEST((web.groups == std::vector<std::string>{"front"}));
    BOOST_TEST((web.after == std::vector<std::string>{"db"}));
    BOOST_TEST((web.restart_with == std::vector<std::string>{"db"}));
    BOOST_TEST(!std::get<service_spec>(web.detail).autostart);  // enabled = false
    BOOST_TEST(std::get<service_spec>(web.detail).ready.path == "/p/run/s");
}

BOOST_AUTO_TEST_CASE(the_keys_of_every_kind) {
    for (const std::string kind : {"worker", "service", "task"}) {
        const config parsed =
            parse("[service.db]\nrun = \"db\"\n[" + kind +
                  ".x]\nrun = [\"a b\", \"\", \"c\"]\nenv = { B = \"2\", A = \"\" }\nenv_file = \".env\"\n"
                  "cwd = \"./sub/dir\"\nstop = { signal = \"SIGINT\", timeout = \"0\" }\nkill = \"main\"\n"
                  "after = [\"db\"]\non_failure = \"notify-send $HOB_UNIT\"\n");
        BOOST_REQUIRE_EQUAL(parsed.units.size(), 2u);
        const unit_spec& unit = parsed.units[1];
        BOOST_TEST((unit.run.argv == std::vector<std::string>{"a b", "", "c"}));
        BOOST_TEST(unit.run.text == "'a b' '' c");
        BOOST_TEST((unit.env == std::vector<std::pair<std::string, std::string>>{{"B", "2"}, {"A", ""}}));
        BOOST_TEST((unit.env_files == std::vector<env_file_spec>{{"/p/.env", true, {}}}));
        BOOST_TEST(unit.cwd == "/p/sub/dir");
        BOOST_TEST(unit.stop.signal == SIGINT);
        BOOST_TEST((unit.stop.timeout == 0s));
        BOOST_TEST((unit.kill == kill_scope::main));
        BOOST_TEST((unit.after == std::vector<std::string>{"db"}));
        BOOST_TEST((unit.on_failure->argv ==
                    std::vector<std::string>{"/bin/sh", "-c", "notify-send $HOB_UNIT", "x"}));
    }
}

BOOST_AUTO_TEST_CASE(paths_are_relative_to_the_file) {
    const auto cwd = [](const std::string& path, const std::string& file,
                        const std::string& default_cwd = {}) {
        return parse_config("[worker.w]\nrun = \"w\"\n" + (path.empty() ? path : "cwd = \"" + path + "\"\n"),
                            file, default_cwd)
            .units[0]
            .cwd;
    };
    BOOST_TEST(cwd("", "/a/b/hob.toml") == "/a/b");
    BOOST_TEST(cwd(".", "/a/b/hob.toml") == "/a/b");
    BOOST_TEST(cwd("./", "/a/b/hob.toml") == "/a/b");
    BOOST_TEST(cwd(".//c", "/a/b/hob.toml") == "/a/b/c");
    BOOST_TEST(cwd("../c", "/a/b/hob.toml") == "/a/b/../c");
    BOOST_TEST(cwd("/c", "/a/b/hob.toml") == "/c");
    BOOST_TEST(cwd("c", "/hob.toml") == "/c");
    BOOST_TEST(cwd("", "/hob.toml") == "/");
    BOOST_TEST(cwd("", "/a/b/hob.toml", "/home/u") == "/home/u");
    BOOST_TEST(cwd("c", "/a/b/hob.toml", "/home/u") == "/a/b/c");
    BOOST_TEST(parse_config("", "x/hob.toml").source_path.ends_with("/x/hob.toml"));
    BOOST_TEST(parse_config("", "x/hob.toml").source_path.starts_with("/"));
}

BOOST_AUTO_TEST_CASE(services) {
    const service_spec plain = service("");
    BOOST_TEST((plain.ready.form == ready_form::started));
    BOOST_TEST((plain.restart == restart_policy::on_failure));
    BOOST_TEST(plain.max_restarts == 0);
    BOOST_TEST((plain.backoff.min == 200ms && plain.backoff.max == 30s && plain.backoff.reset == 60s));
    BOOST_TEST(!plain.autostart);
    for (const std::string word : {"always", "on-failure", "never"}) {
        BOOST_TEST(name_of(service("restart = \"" + word + "\"\n").restart) == word);
    }
    const service_spec full =
        service("max_restarts = 3\nautostart = true\nbackoff = { min = \"1s\", reset = \"0\" }\n");
    BOOST_TEST(full.max_restarts == 3);
    BOOST_TEST(full.autostart);
    BOOST_TEST((full.backoff.min == 1s && full.backoff.max == 30s && full.backoff.reset == 0s));
}

BOOST_AUTO_TEST_CASE(readiness_in_all_its_forms) {
    const ready_spec port = ready("{ tcp = 5432, timeout = \"1m\" }");
    BOOST_TEST((port.form == ready_form::tcp));
    BOOST_TEST(port.host == "localhost");
    BOOST_TEST(port.port == 5432);
    BOOST_TEST(!port.any_owner);
    BOOST_TEST((port.timeout == 1min));
    BOOST_TEST(ready("{ tcp = 5432, owner = \"any\" }").any_owner);
    BOOST_TEST(!ready("{ http = \"http://localhost\", owner = \"service\" }").any_owner);
    const ready_spec v6 = ready("{ tcp = \"[::1]:65535\" }");
    BOOST_TEST(v6.host == "::1");
    BOOST_TEST(v6.port == 65535);
    BOOST_TEST((v6.timeout == 20s));
    BOOST_TEST(ready("{ tcp = \"localhost:1\" }").host == "localhost");
    for (const std::string url :
         {"http://localhost", "http://127.0.0.1:8080/a?b=c", "http://[::1]:80/", "http://localhost?x"}) {
        const ready_spec http = ready("{ http = \"" + url + "\" }");
        BOOST_TEST((http.form == ready_form::http));
        BOOST_TEST(http.url == url);
        BOOST_TEST(!http.status);
    }
    BOOST_TEST((ready("{ http = { url = \"http://localhost/\", status = 204 } }").status == 204));
    const ready_spec exec = ready("{ exec = \"pg_isready -q\" }");
    BOOST_TEST((exec.form == ready_form::exec));
    BOOST_TEST(
        (exec.exec->argv == std::vector<std::string>{"/bin/sh", "-c", "exec pg_isready -q \"$@\"", "s"}));
    BOOST_TEST((ready("{ exec = [\"true\"] }").exec->argv == std::vector<std::string>{"true"}));
    BOOST_TEST(ready("{ log = \"(ready|listening) on\" }").log_pattern == "(ready|listening) on");
    BOOST_TEST((ready("{ notify = true }").form == ready_form::notify));
    BOOST_TEST((ready("{ delay = \"30s\" }").delay == 30s));
    BOOST_TEST((service("[service.s.ready]\ntcp = 1\n").ready.form == ready_form::tcp));
}

BOOST_AUTO_TEST_CASE(tasks) {
    const task_spec plain = task("");
    BOOST_TEST(!plain.every);
    BOOST_TEST(!plain.cron);
    BOOST_TEST(!plain.on_start);
    BOOST_TEST((plain.jitter == 0s));
    BOOST_TEST((plain.catch_up == catch_up_policy::once));
    BOOST_TEST((plain.overlap == overlap_policy::skip));
    BOOST_TEST(!plain.timeout);
    BOOST_TEST((plain.retry == retry_spec{0, 10s}));
    BOOST_TEST(!plain.time_zone);
    const task_spec full = task(
        "every = \"5m\"\non_start = true\njitter = \"299s\"\ncatch_up = \"none\"\noverlap = "
        "\"cancel\"\ntimeout = \"10m\"\n"
        "retry = { max = 3, delay = \"0\" }\nkeep = 1\n");
    BOOST_TEST((full.every == 5min));
    BOOST_TEST(full.on_start);
    BOOST_TEST((full.jitter == 299s));
    BOOST_TEST((full.catch_up == catch_up_policy::none));
    BOOST_TEST((full.overlap == overlap_policy::cancel));
    BOOST_TEST((full.timeout == 10min));
    BOOST_TEST((full.retry == retry_spec{3, 0s}));
    BOOST_TEST(task("cron = \"*/5 * * * *\"\n").cron->text == "*/5 * * * *");
    BOOST_TEST(name_of(task("overlap = \"queue\"\n").overlap) == "queue");
}

BOOST_AUTO_TEST_CASE(how_much_is_remembered_and_the_time_zone) {
    const auto kept = [](const std::string& line) {
        const config parsed = parse("[task.t]\nrun = \"x\"\n" + line + "[service.s]\nrun = \"x\"\n" + line);
        BOOST_TEST((parsed.find("t")->keep == parsed.find("s")->keep));
        return parsed.find("t")->keep;
    };
    BOOST_TEST((kept("") == keep_spec{200, {}, {}}));
    BOOST_TEST((kept("keep = 1\n") == keep_spec{1, {}, {}}));
    BOOST_TEST((kept("keep = { age = \"30d\" }\n") == keep_spec{0, 30 * 24h, {}}));
    BOOST_TEST((kept("keep = { runs = 5, size = \"1MiB\" }\n") == keep_spec{5, {}, 1u << 20}));
    BOOST_TEST(task("cron = \"@daily\"\ntime_zone = \"Europe/Berlin\"\n").time_zone->name() ==
               "Europe/Berlin");
}

BOOST_AUTO_TEST_CASE(services_and_tasks_watch_files) {
    for (const std::string table : {"[service.x]\n", "[task.x]\n"}) {
        const watch_spec plain = parse(table + "run = \"x\"\n").units[0].watch;
        BOOST_TEST(plain.patterns.empty());
        BOOST_TEST(plain.ignore.empty());
        BOOST_TEST(plain.gitignore);
        BOOST_TEST((plain.debounce == 100ms));
        const watch_spec full = parse(table +
                                      "run = \"x\"\nwatch = [\"src/**/*.[ch]\", \"a\\\\[b\"]\n"
                                      "ignore = [\"x\"]\ngitignore = false\ndebounce = \"1s\"\n")
                                    .units[0]
                                    .watch;
        BOOST_TEST((full.patterns == std::vector<std::string>{"src/**/*.[ch]", "a\\[b"}));
        BOOST_TEST((full.ignore == std::vector<std::string>{"x"}));
        BOOST_TEST(!full.gitignore);
        BOOST_TEST((full.debounce == 1s));
    }
}

BOOST_AUTO_TEST_CASE(health_has_a_probe_and_how_often_it_may_fail) {
    BOOST_TEST(!service("").health);
    const auto plain = service("health = { http = \"http://localhost/\" }\n").health;
    BOOST_REQUIRE(plain.has_value());
    BOOST_TEST((plain->probe.form == ready_form::http));
    BOOST_TEST(plain->probe.url == "http://localhost/");
    BOOST_TEST((plain->every == 10s && plain->timeout == 5s && plain->failures == 3));
    const auto full = service(
        "ready = { tcp = 1 }\nhealth = { exec = \"true\", every = \"1s\", timeout = \"2s\", "
        "failures = 1 }\n");
    BOOST_TEST((full.ready.form == ready_form::tcp));
    BOOST_TEST((full.health->probe.form == ready_form::exec));
    BOOST_TEST((full.health->every == 1s && full.health->timeout == 2s && full.health->failures == 1));
    BOOST_TEST(service("health = { tcp = 80, owner = \"any\" }\n").health->probe.any_owner);
    BOOST_TEST(service("health = { tcp = \"${PORT}\" }\n").health->probe.written == "${PORT}");
    BOOST_TEST(service("health = { http = { url = \"http://localhost/\", status = 204 } }\n")
                   .health->probe.status.value() == 204);
}

BOOST_AUTO_TEST_CASE(a_command_may_stop_a_unit) {
    for (const std::string table : {"[service.x]\n", "[task.x]\n", "[worker.x]\n"}) {
        BOOST_TEST(!parse(table + "run = \"x\"\n").units[0].stop.run);
        const stop_spec stop =
            parse(table + "run = \"x\"\nstop = { run = [\"pg_ctl\", \"stop\"] }\n").units[0].stop;
        BOOST_TEST((stop.run->argv == std::vector<std::string>{"pg_ctl", "stop"}));
    }
}

BOOST_AUTO_TEST_CASE(units_come_in_file_order_whatever_their_kind) {
    const config parsed = parse(
        "[task.z]\nrun = \"x\"\n[worker.y]\nrun = \"x\"\n[service.b.env]\nA = \"1\"\n[service.a]\nrun = "
        "\"x\"\n"
        "[service.b]\nrun = \"x\"\n");
    std::string order;
    for (const auto& unit : parsed.units)
        order += unit.name;
    BOOST_TEST(order == "zyba");
    BOOST_TEST((parsed.find("a") == &parsed.units[3]));
    BOOST_TEST((parsed.find("nope") == nullptr));
}

BOOST_AUTO_TEST_CASE(line_ends_may_be_those_of_dos) {
    const config parsed = parse("[worker.w]\r\nrun = \"w\"\r\nprotocol = \"lines\"\r\n");
    BOOST_TEST(parsed.units[0].run.text == "w");
}

BOOST_AUTO_TEST_CASE(equal_text_is_equal_and_any_change_is_seen) {
    const std::string text = "[service.s]\nrun = \"s\"\nready = { exec = \"x\" }\n";
    BOOST_TEST((only(text) == only("# moved down\n" + text)));
    BOOST_TEST(parse(text).source_hash != parse(text + "\n").source_hash);
    for (const std::string more : {"kill = \"main\"\n", "env = { A = \"\" }\n", "autostart = true\n",
                                   "max_restarts = 1\n", "stop = { timeout = \"1s\" }\n", "cwd = \"x\"\n"}) {
        BOOST_TEST(!(only(text) == only(text + more)), more);
    }
}

BOOST_AUTO_TEST_CASE(a_stop_that_takes_longer_than_a_shutdown_is_a_warning) {
    const auto warnings = [](const std::string& text) { return parse(text).warnings; };
    const std::string slow = "[service.s]\nrun = \"s\"\nstop = { timeout = \"11s\" }\n";
    BOOST_TEST((warnings(slow) ==
                std::vector<std::string>{
                    "/p/hob.toml:3:20: 's' may take 11s to stop, but shutdown_timeout is 10s: a shutdown "
                    "ends it sooner"}));
    BOOST_TEST(warnings("[daemon]\nshutdown_timeout = \"11s\"\n" + slow).empty());
    BOOST_TEST((warnings("[daemon]\nshutdown_timeout = \"2s\"\n[worker.w]\nrun = \"w\"\n") ==
                std::vector<std::string>{
                    "/p/hob.toml:2:20: shutdown_timeout is 2s, shorter than the 5s that units without a "
                    "stop timeout have"}));
}

BOOST_AUTO_TEST_CASE(a_key_without_effect_is_a_warning) {
    const config parsed = parse("[task.t]\nrun = \"t\"\ndebounce = \"1s\"\ncatch_up = \"none\"\nkeep = 3\n");
    BOOST_TEST((parsed.warnings ==
                std::vector<std::string>{
                    "/p/hob.toml:3:12: 'debounce' in [task.t] has no effect without 'watch'",
                    "/p/hob.toml:4:12: 'catch_up' in [task.t] has no effect without 'every' or 'cron'"}));
}

BOOST_AUTO_TEST_CASE(signals_have_names) {
    util::signal_error error;
    BOOST_TEST((util::parse_signal("TERM", error) == SIGTERM));
    BOOST_TEST((util::parse_signal("SIGUSR2", error) == SIGUSR2));
    BOOST_TEST((util::parse_signal("RTMIN+3", error) == SIGRTMIN + 3));
    BOOST_TEST((util::parse_signal("RTMAX", error) == SIGRTMAX));
    BOOST_TEST((util::parse_signal("RTMAX-1", error) == SIGRTMAX - 1));
    for (const auto* bad :
         {"", "SIG", "15", "RTMIN+99", "RTMIN+", "RTMIN-1", "RTMIN+-1", "CHLD", "SIGCONT", "term"}) {
        BOOST_TEST(!util::parse_signal(bad, error), bad);
    }
    BOOST_TEST(util::signal_name(SIGKILL) == "KILL");
    BOOST_TEST(util::signal_name(SIGRTMIN + 3) == "RTMIN+3");
    BOOST_TEST(util::signal_name(0) == "0");
    for (int number = 1; number <= SIGRTMAX; ++number) {
        const auto back = util::parse_signal(util::signal_name(number), error);
        if (back) BOOST_TEST(*back == number);
    }
}

BOOST_AUTO_TEST_CASE(the_file_of_init_is_valid_with_and_without_its_examples) {
    const config as_written = parse(std::string(hob::cmd::init_template));
    BOOST_REQUIRE_EQUAL(as_written.units.size(), 1u);
    BOOST_TEST(as_written.units[0].name == "echo");
    std::istringstream lines{std::string(hob::cmd::init_template)};
    std::string uncommented;
    for (std::string line; std::getline(lines, line);) {
        const bool configuration = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        uncommented += (configuration ? line.substr(1) : line) + "\n";
    }
    const config all = parse(uncommented);
    BOOST_TEST(all.warnings.empty());
    std::string names;
    for (const auto& unit : all.units)
        names += unit.name + " ";
    BOOST_TEST(names == "echo search db build sync ");
}

BOOST_AUTO_TEST_CASE(the_examples_are_valid) {
    for (const std::string name : {"examples/web/hob.toml", "examples/workers.toml", "examples/servers.toml",
                                   "examples/home/hob.toml", "examples/agents/hob.toml", "hob.toml"}) {
        const std::string text = slurp(std::string(HOB_SOURCE_DIR) + "/" + name);
        BOOST_TEST_CONTEXT(name) {
            BOOST_REQUIRE(!text.empty());
            const config parsed = parse(text);
            BOOST_TEST(!parsed.units.empty());
            BOOST_TEST(parsed.warnings.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_schema_accepts_every_good_file_of_these_tests) { judge.judge(50); }

BOOST_AUTO_TEST_SUITE_END()
