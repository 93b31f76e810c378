#include <boost/test/unit_test.hpp>

#include <map>

#include "cmd/formats/compose_values.hpp"
#include "cmd/formats/dockerfile.hpp"
#include "cmd/formats/read.hpp"
#include "error.hpp"
#include "fixtures/run_loop.hpp"
#include "unit/config/config.hpp"

using namespace hob::cmd;
using hob::test::failure_of;
using hob::unit::unit_kind;
using names = std::vector<std::string>;

namespace {

std::map<std::string, std::string> files;  // of the project, by their paths

import_result read(const std::string& text) {
    const import_environment machine{{},
                                     {},
                                     [](const std::string& path) { return files.contains(path); },
                                     {},
                                     [](const std::string& path) -> std::optional<std::string> {
                                         const auto found = files.find(path);
                                         if (found == files.end()) return std::nullopt;
                                         return found->second;
                                     }};
    auto found = read_import(text, "compose.yaml", {"/p", "/p", "/home/me", false}, machine);
    settle_after(found, [](const std::string&) { return false; });
    return found;
}

hob::unit::config parsed(const import_result& found) {
    std::string text;
    for (const auto& unit : found.units)
        text += to_toml(unit, "compose.yaml") + "\n";
    return hob::unit::parse_config(text, "/p/hob.toml");
}

hob::unit::unit_spec service(const std::string& members) {
    const auto config = parsed(read("services:\n  s:\n    command: x\n    " + members + "\n"));
    BOOST_REQUIRE_MESSAGE(config.units.size() == 1u, members);
    return config.units[0];
}

std::string refusal(const std::string& members) {
    const auto found = read("services:\n  s:\n    " + members + "\n");
    BOOST_TEST(found.units.empty(), members);
    return found.refused.size() == 1u ? found.refused[0].text : "not refused";
}

std::string notes(const import_result& found, std::string_view from) {
    std::string text;
    for (const auto& note : found.notes)
        if (note.from == from) text += note.text + "\n";
    return text;
}

const hob::unit::service_spec& details(const hob::unit::unit_spec& unit) {
    return std::get<hob::unit::service_spec>(unit.detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(import_compose)

BOOST_AUTO_TEST_CASE(commands_are_split_without_a_shell) {
    const auto argv = [](const std::string& command) {
        return parsed(read("services:\n  s:\n    command: " + command + "\n")).units.at(0).run.argv;
    };
    BOOST_TEST((argv("sh -c \"a && b\"") == names{"sh", "-c", "a && b"}));
    BOOST_TEST((argv("a | b > c") == names{"a", "|", "b", ">", "c"}));
    BOOST_TEST((argv("[\"a b\", \"$$HOME\", 3, true]") == names{"a b", "$HOME", "3", "true"}));
    BOOST_TEST((argv("a 'b c' d\\ e") == names{"a", "b c", "d e"}));
    BOOST_TEST((argv("a ${B:-c d} $E") == names{"/bin/sh", "-c", R"(exec a "${B:-c d}" "${E}")", "s"}));
    BOOST_TEST((argv("${CMD} x") == names{"/bin/sh", "-c", R"(exec "${CMD}" x)", "s"}));
    BOOST_TEST((argv("b\n    entrypoint: [\"/e\", \"x\"]") == names{"/e", "x", "b"}));
    BOOST_TEST(refusal("command: a 'b") == "its 'command' has a quote that does not end");
    BOOST_TEST(refusal("command: a ${B:+c}") == "hob.toml cannot express '${B:+c}'");
    BOOST_TEST(refusal("command: a $1") == "it has a '$' that is not '$$' and names no variable");
    BOOST_TEST(refusal("image: redis:7") ==
               "its image 'redis:7' has the command, and hob does not run images");
    BOOST_TEST(refusal("command: --flag\n    image: x") ==
               "its image 'x' has the command, and hob does not run images");
}

BOOST_AUTO_TEST_CASE(the_environment_keeps_its_names_and_its_variables) {
    files = {{"/p/.env", ""}};
    const auto got = service(
        "environment: {A: 1, B: \"x$$y\", C: \"${D:-e}f\", G: , H: true, N: 1.10}\n    env_file: [a.env, "
        "{path: b.env, required: false}]");
    BOOST_TEST(
        (got.env ==
         hob::unit::variable_list{
             {"A", "1"}, {"B", "x$y"}, {"C", "${D:-e}f"}, {"G", "${G:-}"}, {"H", "true"}, {"N", "1.10"}}));
    BOOST_REQUIRE(got.env_files.size() == 3u);
    BOOST_TEST(got.env_files[0].path == "/p/.env");
    BOOST_TEST(got.env_files[1].path == "/p/a.env");
    BOOST_TEST(got.env_files[1].required);
    BOOST_TEST(!got.env_files[2].required);
    BOOST_TEST((service("environment: [\"A=b=c\", \"D=${E:?why}\"]").env ==
                hob::unit::variable_list{{"A", "b=c"}, {"D", "${E}"}}));
    files.clear();
    const auto defaults =
        service("environment: {A: \"${B:-${C:-d}/x}\", E: \"${F:-$$5}\", G: \"${H:-${I}}\"}");
    BOOST_TEST((defaults.env == hob::unit::variable_list{
                                    {"A", "${B:-${C:-d}/x}"}, {"E", "${F:-$5}"}, {"G", "${H:-${I:-}}"}}));
    const auto nested = parsed(read("services:\n  s:\n    command: [a, '${B:-${C:-\"}}']\n"));
    BOOST_TEST(nested.units.at(0).run.argv.at(2) == R"(exec a "${B:-${C:-\"}}")");
    // What hob.toml cannot express costs the variable, not the service. A shell can.
    const auto braces = read(
        "services:\n  s:\n    command: [a, '${J:-{\"b\":1}}']\n    environment: {J: '${J:-{\"b\":1}}', K: "
        "'${L:+x}', M: ok}\n");
    BOOST_TEST(notes(braces, "s") ==
               "without the variable J: hob.toml cannot express its use of '${J}'\n"
               "without the variable K: hob.toml cannot express '${L:+x}'\n");
    BOOST_TEST((parsed(braces).units.at(0).env == hob::unit::variable_list{{"M", "ok"}}));
    BOOST_TEST(parsed(braces).units.at(0).run.argv.at(2) == R"(exec a "${J:-{\"b\":1\}}")");
    const auto hosts = read(
        "services:\n  db: {image: x}\n  web:\n    command: y\n    environment:\n      URL: "
        "postgres://u:pass@db:5432/db\n      OK: postgres://dbx/db\n      DB_HOST: db\n");
    BOOST_TEST(notes(hosts, "web") ==
               "URL names the host 'db', which only containers know: here it is localhost\n"
               "DB_HOST names the host 'db', which only containers know: here it is localhost\n");
}

BOOST_AUTO_TEST_CASE(dependencies_and_conditions) {
    const auto config = parsed(read(R"(services:
  db: {command: a}
  migrate:
    command: b
    restart: "on-failure:3"
    depends_on: [db]
  web:
    command: c
    links: ["cache:redis"]
    depends_on:
      db: {condition: service_healthy, restart: true}
      migrate: {condition: service_completed_successfully}
  cache: {command: d, profiles: [full]}
)"));
    BOOST_TEST((config.find("migrate")->kind == unit_kind::task));
    BOOST_TEST(std::get<hob::unit::task_spec>(config.find("migrate")->detail).retry.max == 3);
    BOOST_TEST((config.find("web")->after == names{"db", "migrate", "cache"}));
    BOOST_TEST((config.find("web")->restart_with == names{"db"}));
    BOOST_TEST(!config.find("cache")->enabled);
    const auto found = read("services:\n  web: {command: a, depends_on: [db]}\n  db: {image: x}\n");
    BOOST_TEST(notes(found, "web") == "without 'db' in after: there is no such unit\n");
}

BOOST_AUTO_TEST_CASE(limits) {
    const auto old = service("mem_limit: 512m\n    pids_limit: 100\n    cpu_shares: 2048").resources;
    BOOST_TEST(old.memory_max == 512u << 20);
    BOOST_TEST(old.pids_max == 100);
    BOOST_TEST(old.cpu_weight == 200);
    const auto deployed = service("deploy: {resources: {limits: {memory: 1.5g, pids: 7}}}").resources;
    BOOST_TEST(deployed.memory_max == 1536u << 20);
    BOOST_TEST(deployed.pids_max == 7);
    for (const auto& [text, bytes] :
         std::vector<std::pair<std::string, std::uint64_t>>{{"2GB", 2u << 30},
                                                            {"64kb", 1u << 20},
                                                            {"1572864", 1'572'864},
                                                            {"3145728b", 3u << 20},
                                                            {"-1", 0}}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(service("mem_limit: " + text).resources.memory_max == bytes); }
    }
    const auto found =
        read("services:\n  s: {command: x, deploy: {replicas: 2, resources: {limits: {pids: 1}}}}\n");
    BOOST_TEST(notes(found, "s") == "without deploy, which hob.toml does not have\n");
    const auto whole = read("services:\n  s: {command: x, deploy: {resources: {limits: {memory: 64m}}}}\n");
    BOOST_TEST(notes(whole, "s") == "");
    const auto odd = read("services:\n  s: {command: x, mem_limit: \"${MEM}\"}\n");
    BOOST_TEST(notes(odd, "s") == "without mem_limit '${MEM}'\n");
}

BOOST_AUTO_TEST_CASE(policies_checks_and_ports) {
    using hob::unit::ready_form;
    using hob::unit::restart_policy;
    BOOST_TEST((details(service("image: i")).restart == restart_policy::never));
    BOOST_TEST((details(service("restart: unless-stopped")).restart == restart_policy::always));
    BOOST_TEST((details(service("restart: \"no\"")).restart == restart_policy::never));
    const auto limited =
        service("restart: on-failure:5\n    stop_signal: SIGQUIT\n    stop_grace_period: 1m1.5s");
    BOOST_TEST(details(limited).max_restarts == 5);
    BOOST_TEST(limited.stop.signal == SIGQUIT);
    BOOST_TEST(limited.stop.timeout.count() == 61'500);
    BOOST_TEST(
        (details(service("deploy: {restart_policy: {condition: any}}")).restart == restart_policy::always));
    const auto checked = service(
        "healthcheck: {test: [CMD, curl, -f, \"http://localhost\"], interval: 5s, timeout: 1s, retries: 2, "
        "start_period: 10s}");
    BOOST_TEST((details(checked).ready.exec.value().argv == names{"curl", "-f", "http://localhost"}));
    BOOST_TEST(details(checked).ready.timeout.count() == 22'000);
    BOOST_TEST(
        details(service("healthcheck: {test: \"pg_isready -U $${U} || exit 1\"}")).ready.exec.value().text ==
        "pg_isready -U ${U} || exit 1");
    BOOST_TEST((details(service("healthcheck: {disable: true, test: x}")).ready.form == ready_form::started));
    BOOST_TEST((details(service("healthcheck: {test: [NONE]}")).ready.form == ready_form::started));
    BOOST_TEST(!details(checked).health);
    const auto restarted = details(service(
        "restart: always\n    healthcheck: {test: [CMD, curl, -f, \"http://localhost\"], interval: 5s, "
        "timeout: 1s, retries: 2}"));
    BOOST_REQUIRE(restarted.health.has_value());
    BOOST_TEST((restarted.health->probe.exec.value().argv == names{"curl", "-f", "http://localhost"}));
    BOOST_TEST(restarted.health->every.count() == 5'000);
    BOOST_TEST(restarted.health->timeout.count() == 1'000);
    BOOST_TEST(restarted.health->failures == 2);
    const auto by_default = details(service("restart: always\n    healthcheck: {test: a, interval: 0s}"));
    BOOST_TEST(by_default.health.value().every.count() == 30'000);
    BOOST_TEST(by_default.health->failures == 3);
    BOOST_TEST(!details(service("restart: always\n    healthcheck: {disable: true, test: a}")).health);
    BOOST_TEST(details(service("ports: [\"127.0.0.1:8080:80/tcp\"]")).ready.port == 80);
    BOOST_TEST(details(service("ports: [\"53:53/udp\", \"${P:-9086}:9086\"]")).ready.port == 9086);
    BOOST_TEST(details(service("ports: [\"${P:-1}:${Q:-3000}\"]")).ready.written == "${Q:-3000}");
    BOOST_TEST(details(service("ports: [{target: 81, published: \"82\"}]")).ready.port == 81);
    BOOST_TEST((details(service("ports: [\"3000-3005:3000-3005\"]")).ready.form == ready_form::started));
    const auto found = read(
        "services:\n  s: {command: x, ports: [\"8080:80\"], networks: [n], x-y: z, labels: {a: "
        "b}}\nnetworks: {n: }\n");
    BOOST_TEST(
        notes(found, "s") ==
        "it listens on 80 itself: nothing maps another port to it\nwithout networks, which hob.toml does "
        "not have\n");
    BOOST_TEST(notes(found, "networks") == "not carried over: n\n");
}

BOOST_AUTO_TEST_CASE(a_terminal_or_an_open_input) {
    BOOST_TEST(service("tty: true\n    stdin_open: true").tty);
    BOOST_TEST((service("stdin_open: true").input == hob::unit::input_source::open));
    BOOST_TEST((service("stdin_open: false").input == hob::unit::input_source::null));
}

BOOST_AUTO_TEST_CASE(the_directory_is_that_of_a_mount_or_of_the_build) {
    BOOST_TEST(service("working_dir: /app/web\n    volumes: [\"./src:/app:ro\", data:/data]").cwd ==
               "/p/src/web");
    BOOST_TEST(service("working_dir: /app\n    volumes: [{type: bind, source: ./a, target: /app/}]").cwd ==
               "/p/a");
    BOOST_TEST(service("build: ./web/../api").cwd == "/p/api");
    BOOST_TEST(service("build: {context: https://x/y.git}").cwd == "/p");
    BOOST_TEST(service("working_dir: /app").cwd == "/p");
    BOOST_TEST(service("working_dir: /app/x\n    volumes: [\"${PWD}/a:/app\"]").cwd == "/p/a/x");
    BOOST_TEST(service("working_dir: /app\n    volumes: [\"~/a:/app\"]").cwd == "/home/me/a");
    BOOST_TEST(service("build: \"${DIR:-web}\"").cwd == "/p/web");
    BOOST_TEST(refusal("command: x\n    build: \"${DIR}\"") == "it depends on the variable 'DIR'");
    BOOST_TEST(refusal("command: x\n    env_file: \"${STAGE}.env\"") == "it depends on the variable 'STAGE'");
}

BOOST_AUTO_TEST_CASE(a_built_image_has_the_command_of_its_dockerfile) {
    files = {{"/p/web/Dockerfile",
              "FROM node:20 AS base\nCMD [\"no\"]\nFROM base as dev\ncmd npm run dev\n# x\nFROM "
              "base\nENTRYPOINT [\"tini\", \\\n"
              "  # a comment\n  \"--\"]\nCMD [\"node\", \"server.js\"]\n"},
             {"/p/Other", "FROM x\nRUN y\n"}};
    const auto argv = [](const std::string& members) {
        return parsed(read("services:\n  s:\n    " + members + "\n")).units.at(0).run.argv;
    };
    BOOST_TEST((argv("build: web") == names{"tini", "--", "node", "server.js"}));
    BOOST_TEST((argv("build: web\n    command: a b") == names{"tini", "--", "a", "b"}));
    BOOST_TEST((argv("build: web\n    entrypoint: a") == names{"a"}));
    BOOST_TEST((argv("build: {context: web, target: dev}") == names{"/bin/sh", "-c", "npm run dev"}));
    BOOST_TEST((argv("build: {context: web, target: base}") == names{"no"}));
    BOOST_TEST(refusal("build: {context: ., dockerfile: Other}") ==
               "its image has the command, and hob does not run images");
    BOOST_TEST(refusal("build: nowhere") == "its image has the command, and hob does not run images");
    files.clear();
}

BOOST_AUTO_TEST_CASE(anchors_merges_and_extends) {
    const auto config = parsed(read(R"(x-common: &common
  restart: always
  environment: &env {A: "1", B: "2"}
services:
  one:
    <<: *common
    command: x
    environment: {<<: *env, B: "3"}
  two:
    extends: {service: one}
    command: y
    environment: {C: "4"}
)"));
    BOOST_TEST((config.find("one")->env == hob::unit::variable_list{{"B", "3"}, {"A", "1"}}));
    BOOST_TEST((details(*config.find("one")).restart == hob::unit::restart_policy::always));
    BOOST_TEST((config.find("two")->env == hob::unit::variable_list{{"B", "3"}, {"A", "1"}, {"C", "4"}}));
    BOOST_TEST(refusal("extends: {file: x.yaml, service: y}") == "it extends a service of another file");
    BOOST_TEST(refusal("extends: s") == "it extends 's', which is no service of this file");
}

BOOST_AUTO_TEST_CASE(a_hostile_file_ends_with_a_message) {
    const auto message = [](const std::string& text) {
        return std::string(failure_of([&] { read(text); }).what());
    };
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        std::string row;
        for (int n = 0; n < 10; ++n)
            row += (n == 0 ? "*a" : ", *a") + std::to_string(i - 1);
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + row + "]\n";
    }
    BOOST_TEST(message(laughs + "services: {s: {command: x}}\n").find("its aliases make it too large") !=
               std::string::npos);
    for (const std::string& text :
         {std::string(100'000, '['), std::string("services: [\n"), std::string("services: &a {s: *a}\n"),
          std::string("services: {s: *none}\n"), std::string("? [a]\n: b\n"), std::string("a: b\n\tc: d\n"),
          std::string("services:\n  s: {command: x}\n  s2: {command: \"\\u0000\"}\n\x01")}) {
        std::string said;
        try {
            read(text);
        } catch (const hob::failure& why) {
            said = why.what();
            BOOST_TEST(said.starts_with("cannot import 'compose.yaml': "), said);
            BOOST_TEST(said.find('\n') == std::string::npos, said);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
