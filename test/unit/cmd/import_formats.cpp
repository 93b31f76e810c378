#include <boost/test/unit_test.hpp>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/read.hpp"
#include "error.hpp"
#include "fixtures/run_loop.hpp"
#include "unit/config/config.hpp"

using namespace hob::cmd;
using hob::test::failure_of;
using hob::unit::unit_kind;
using names = std::vector<std::string>;

namespace {

// The files of the project, and what is said about this machine.
struct project {
    std::vector<std::string> files = {};
    import_environment machine{[](const std::string& program) { return program == "mail"; },
                               [] { return false; },
                               [this](const std::string& path) {
                                   return std::find(files.begin(), files.end(), path) != files.end();
                               },
                               [](const std::string& name) { return name == "root" || name == "www-data"; },
                               {}};
    import_context place{"/p", "/p", "/home/me", false};

    import_result read(std::string_view text, const std::string& path) {
        auto found = read_import(text, path, place, machine);
        settle_after(found, [](const std::string&) { return false; });
        return found;
    }
};

// All units, parsed as the daemon does.
hob::unit::config parsed(const import_result& found) {
    std::string text;
    for (const auto& unit : found.units)
        text += to_toml(unit, "f") + "\n";
    return hob::unit::parse_config(text, "/p/hob.toml");
}

const hob::unit::unit_spec& unit_of(const hob::unit::config& config, std::string_view name) {
    const auto* unit = config.find(name);
    BOOST_REQUIRE_MESSAGE(unit != nullptr, name);
    return *unit;
}

std::string said_of(const std::vector<import_note>& notes, std::string_view from) {
    std::string text;
    for (const auto& note : notes)
        if (note.from == from) text += note.text + "\n";
    return text;
}

const hob::unit::task_spec& task(const hob::unit::unit_spec& unit) {
    return std::get<hob::unit::task_spec>(unit.detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(import_formats)

BOOST_AUTO_TEST_CASE(a_procfile_has_services_with_the_ports_of_foreman) {
    project here;
    here.files = {"/p/.env"};
    const auto found = here.read(
        "# dev\r\nweb: bundle exec puma -p ${PORT:-3000}\r\n"
        "worker: cd apps/worker && node 'my worker.js' --x=\"a b\"\n\n"
        "css: yarn css --watch | tee log; echo $PORTAL\nrelease: bin/migrate\nbad line\nhttp://x\n",
        "Procfile");
    const auto config = parsed(found);
    const auto& web = unit_of(config, "web");
    BOOST_TEST((web.kind == unit_kind::service));
    BOOST_TEST(web.run.text == "bundle exec puma -p ${PORT:-3000}");
    BOOST_TEST((web.env == hob::unit::variable_list{{"PORT", "5000"}}));
    BOOST_TEST(web.env_files.at(0).path == "/p/.env");
    BOOST_TEST(!web.env_files.at(0).required);
    const auto& worker = unit_of(config, "worker");
    BOOST_TEST((worker.run.argv == names{"node", "my worker.js", "--x=a b"}));
    BOOST_TEST(worker.cwd == "/p/apps/worker");
    BOOST_TEST(worker.env.empty());
    BOOST_TEST(unit_of(config, "css").run.text == "yarn css --watch | tee log; echo $PORTAL");
    BOOST_TEST((unit_of(config, "release").kind == unit_kind::task));
    BOOST_TEST(said_of(found.refused, "line 7") == "it is not NAME: COMMAND\n");
    BOOST_TEST(found.refused.size() == 2u);
    BOOST_TEST(failure_of([&] { here.read("x\n", "Procfile.dev"); }).what() ==
               std::string("cannot import 'Procfile.dev': it has no line NAME: COMMAND"));
}

BOOST_AUTO_TEST_CASE(a_directory_is_only_taken_from_a_command_that_needs_it) {
    BOOST_TEST(leading_directory("cd a/b && c d").value().directory == "a/b");
    BOOST_TEST(leading_directory("cd 'a b' && c > x 2>&1 && d | e").value().directory == "a b");
    BOOST_TEST(leading_directory("cd \"a\" && c ';' \"||\" \\;").value().command == "c ';' \"||\" \\;");
    for (const char* text :
         {"cd a; b", "cd a || b && c", "cd a && b; c", "cd a && b || c", "cd a && b &", "cd a b && c",
          "cd - && b", "cd $X && b", "cd && b", "cd a &&", "cda && b", "cd `x` && b"})
        BOOST_TEST(!leading_directory(text), text);
}

BOOST_AUTO_TEST_CASE(only_literal_words_are_executed_without_a_shell) {
    BOOST_TEST(
        (literal_words("a 'b c' \"d\\\"e\" f\\ g ''").value() == names{"a", "b c", "d\"e", "f g", ""}));
    for (const char* text : {"a $b", "a `b`",    "a > b",   "a; b",     "a *",      "a ?",  "a [b]",
                             "a ~",  "a {b,c}",  "a # b",   "X=1 a",    "a \"$b\"", "a 'b", "a \"b",
                             "a\nb", "echo 'a'", "'a b' c", "a \\\n b", "! a",      "a (b)"})
        BOOST_TEST(!literal_words(text), text);
}

BOOST_AUTO_TEST_CASE(scripts_run_by_the_package_manager_of_the_lock_file) {
    project here;
    here.files = {"/p/pnpm-lock.yaml"};
    const std::string file =
        R"({"scripts":{"dev":"vite","predev":"x","build":"vite build","test:watch":"vitest",
        "lint":"eslint --fix \"a\"","prepare":"husky","start":"node .","bad":3,"poll":"nodemon x"}})";
    const auto found = here.read(file, "package.json");
    const auto config = parsed(found);
    BOOST_TEST(config.units.size() == 6u);
    BOOST_TEST((unit_of(config, "dev").run.argv == names{"pnpm", "run", "dev"}));
    BOOST_TEST(unit_of(config, "dev").enabled);
    for (const char* name : {"start", "test-watch", "poll"}) {
        BOOST_TEST((unit_of(config, name).kind == unit_kind::service), name);
        BOOST_TEST(!unit_of(config, name).enabled, name);
    }
    BOOST_TEST((unit_of(config, "test-watch").run.argv == names{"pnpm", "run", "test:watch"}));
    BOOST_TEST((unit_of(config, "lint").kind == unit_kind::task));
    BOOST_TEST(said_of(found.refused, "prepare") == "pnpm runs it by itself\n");
    BOOST_TEST(said_of(found.refused, "bad") == "it must be a string, not a number\n");
    here.files = {"/p/yarn.lock"};
    BOOST_TEST(here.read(file, "package.json").units.at(0).run.at(0).at(0).text == "yarn");
    BOOST_TEST(here.read(R"({"packageManager":"bun@1.2","scripts":{"a":"b"}})", "package.json")
                   .units.at(0)
                   .run.at(0)
                   .at(0)
                   .text == "bun");
}

BOOST_AUTO_TEST_CASE(a_crontab_keeps_times_variables_and_standard_input) {
    project here;
    const auto found = here.read(
        "# m h dom mon dow\nMAILTO=\"me\"\nPATH = '/a:/b c'\n# the backup\n30 2 * jan-mar mon-fri nice "
        "/opt/backup.sh -v\n"
        "*/5 * * * * cd /srv/x && sync 'a b'\n@daily mail -s hi root%first%second \\% 'x'\n@reboot "
        "/usr/bin/thing\n"
        "0 0 L * * never\n@often x\n* * * *\nHOB_UNIT=x\nHOME=/srv\n1 1 * * * last\n",
        "crontab");
    const auto config = parsed(found);
    const auto& backup = unit_of(config, "backup");
    BOOST_TEST(backup.run.text == "nice /opt/backup.sh -v");
    BOOST_TEST(backup.cwd == "/home/me");
    BOOST_TEST(task(backup).cron.value().text == "30 2 * jan-mar mon-fri");
    BOOST_TEST((task(backup).catch_up == hob::unit::catch_up_policy::none));
    BOOST_TEST((backup.env == hob::unit::variable_list{{"PATH", "/a:/b c"}}));
    BOOST_TEST((unit_of(config, "sync").run.argv == names{"sync", "a b"}));
    BOOST_TEST(unit_of(config, "sync").cwd == "/srv/x");
    BOOST_TEST(unit_of(config, "mail").run.text ==
               "printf '%s\\n' first 'second % '\\''x'\\''' | { mail -s hi root\n}");
    BOOST_TEST(task(unit_of(config, "thing")).on_start);
    BOOST_TEST(config.find("last") == nullptr);
    BOOST_TEST(said_of(found.refused, "last") == "it sets 'HOB_UNIT', which is hob's own\n");
    BOOST_TEST(said_of(found.refused, "never").starts_with("its times '0 0 L * *': "));
    BOOST_TEST(said_of(found.refused, "x").starts_with("its times '@often': "));
    BOOST_TEST(said_of(found.refused, "line 11") == "it is no entry of a crontab\n");
    BOOST_TEST(said_of(found.notes, "MAILTO").starts_with("no mail is sent"));
}

BOOST_AUTO_TEST_CASE(the_user_of_a_system_crontab_is_not_a_part_of_the_command) {
    project here;
    const std::string entry = "17 * * * * root cd / && run-parts /etc/cron.hourly\n";
    for (const char* path : {"/etc/crontab", "/etc/cron.d/x", "crontab"}) {
        const auto config = parsed(here.read("SHELL=/bin/sh\n" + entry, path));
        BOOST_TEST(config.units.at(0).run.text == "run-parts /etc/cron.hourly", path);
        BOOST_TEST(config.units.at(0).cwd == "/", path);
    }
    const auto other = here.read("* * * * * deploy /usr/bin/python x.py\n", "crontab");
    BOOST_TEST(parsed(other).units.at(0).run.text == "/usr/bin/python x.py");
    BOOST_TEST(said_of(other.notes, "x") == "it ran as deploy; hob runs it as the user of its daemon\n");
    // A user, and a program as well: the program of a user's own crontab.
    BOOST_TEST(parsed(here.read("* * * * * mail root -s x\n", "crontab")).units.at(0).run.text ==
               "mail root -s x");
    BOOST_TEST(parsed(here.read("* * * * * deploy --all\n", "crontab")).units.at(0).run.text ==
               "deploy --all");
    const auto zoned = parsed(here.read("CRON_TZ=UTC\n* * * * * a\n", "x.cron"));
    BOOST_TEST(task(zoned.units.at(0)).time_zone.value().name() == "UTC");
    const auto bash = parsed(here.read("SHELL=/bin/bash\n* * * * * a && b\n", "x.cron"));
    BOOST_TEST((bash.units.at(0).run.argv == names{"/bin/bash", "-c", "a && b"}));
}

BOOST_AUTO_TEST_CASE(a_line_is_named_after_what_it_runs) {
    BOOST_TEST(name_of_command("nice -n 5 /opt/backup.sh -v") == "backup");
    BOOST_TEST(name_of_command("test -e /run/x || MODE=1 /sbin/scrub -A") == "scrub");
    BOOST_TEST(name_of_command("[ -x /a/clean ] && if [ ! -d /run ]; then /a/clean; fi") == "clean");
    BOOST_TEST(name_of_command("source ~/.profile && cd /x && ./nightly.sh &>> /log") == "nightly");
    BOOST_TEST(name_of_command("cd /app && python3 manage.py sync") == "manage");
    BOOST_TEST(name_of_command("su - me -c \"x\"") == "me");
    BOOST_TEST(name_of_command("bash -c 'x'") == "bash");
    BOOST_TEST(name_of_command("((") == "");
}

BOOST_AUTO_TEST_CASE(tasks_of_an_editor_become_tasks_and_services) {
    project here;
    const auto found = here.read(R"x({ // comment
        "version": "2.0.0", "options": {"cwd": "${workspaceFolder}/sub"},
        "tasks": [
          {"label": "Build (all)", "type": "shell", "command": "make -j4 && echo", "args": ["a b", {"value": "c", "quoting": "strong"}],
           "dependsOn": ["watch", "none"], "group": "build", "problemMatcher": []
},
          {"label": "watch", "type": "npm", "script": "dev", "path": "web", "isBackground": true},
          {"label": "run", "type": "process", "command": "${workspaceFolder}/x", "args": ["$HOME"], "options": {"env": {"A": "b"}},
           "linux": {"args": ["linux"]}},
          {"label": "both", "dependsOn": ["run", "watch"], "dependsOrder": "sequence"},
          {"label": "cd", "type": "shell", "command": "cd x && y", "options": {"cwd": "z"}},
          {"label": "ask", "type": "shell", "command": "x ${input:y}"}, {"type": "gulp", "task": "x"}, 3,
        ],
})x",
                                 "tasks.json");
    const auto config = parsed(found);
    const auto& build = unit_of(config, "Build-all");
    BOOST_TEST(build.run.text == "make -j4 && echo 'a b' c");
    BOOST_TEST(build.cwd == "/p/sub");
    BOOST_TEST(build.after == names{"watch"}, boost::test_tools::per_element());
    const auto& watch = unit_of(config, "watch");
    BOOST_TEST((watch.kind == unit_kind::service));
    BOOST_TEST((watch.run.argv == names{"npm", "run", "dev"}));
    const auto& run = unit_of(config, "run");
    BOOST_TEST((run.run.argv == names{"/p/x", "linux"}));
    BOOST_TEST((run.env == hob::unit::variable_list{{"A", "b"}}));
    BOOST_TEST((unit_of(config, "both").after == names{"run", "watch"}));
    BOOST_TEST(said_of(found.notes, "both").starts_with("without dependsOrder"));
    BOOST_TEST(unit_of(config, "cd").run.text == "cd x && y");
    BOOST_TEST(unit_of(config, "cd").cwd == "/p/z");
    BOOST_TEST(said_of(found.notes, "Build (all)").find("without 'none' in after") != std::string::npos);
    BOOST_TEST(found.refused.size() == 3u);
}

BOOST_AUTO_TEST_CASE(servers_are_read_where_agents_keep_them) {
    project here;
    const auto codex =
        parsed(here.read("model = \"x\"\n[mcp_servers.docs]\ncommand = \"npx\"\nargs = [\"-y\", \"d\"]\n"
                         "env = { K = \"v\" }\nenv_vars = [\"TOKEN\"]\ntool_timeout_sec = 1.5\n"
                         "[mcp_servers.off]\ncommand = \"x\"\nenabled = false\n",
                         "config.toml"));
    BOOST_TEST(codex.units.size() == 1u);
    const auto& docs = unit_of(codex, "docs");
    BOOST_TEST((docs.run.argv == names{"npx", "-y", "d"}));
    BOOST_TEST((docs.env == hob::unit::variable_list{{"K", "v"}, {"TOKEN", "${TOKEN:-}"}}));
    BOOST_TEST(std::get<hob::unit::worker_spec>(docs.detail).call_timeout.count() == 1500);
    const auto zed = parsed(here.read(R"({"theme":"x", // y
        "context_servers":{"a":{"source":"custom","command":"c","args":["d"],"env":{}},
                           "b":{"command":{"path":"e","args":["f"],"env":{"G":"h"}},"settings":{}}}})",
                                      "settings.json"));
    BOOST_TEST((unit_of(zed, "a").run.argv == names{"c", "d"}));
    BOOST_TEST((unit_of(zed, "b").run.argv == names{"e", "f"}));
    BOOST_TEST((unit_of(zed, "b").env == hob::unit::variable_list{{"G", "h"}}));
    BOOST_TEST(
        unit_of(parsed(here.read(R"({"mcp":{"servers":{"s":{"command":"t"}}}})", "settings.json")), "s")
            .run.text == "t");
}

BOOST_AUTO_TEST_CASE(a_file_without_a_telling_name_is_known_by_its_content) {
    project here;
    const auto first = [&](std::string_view text) { return here.read(text, "-").units.at(0).name; };
    BOOST_TEST(first("web: x\nworker: y\n") == "web");
    BOOST_TEST(first("*/5 * * * * sync -a\n") == "sync");
    BOOST_TEST(first("A=b\n@daily tidy\n") == "tidy");
    BOOST_TEST(first("version: '3'\nservices:\n  s:\n    command: x\n") == "s");
    BOOST_TEST(first("// c\n{\"mcpServers\":{\"m\":{\"command\":\"x\"}}}") == "m");
    for (const char* text : {"", "what is this", "a: b: c\n- d", "{}", "services:\n  - a", "\xff\xfe"}) {
        const auto why = failure_of([&] { here.read(text, "-"); });
        BOOST_TEST(std::string(why.what()).starts_with("cannot import '-': "), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
