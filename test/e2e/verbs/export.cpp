// hob export: files that systemd, cron and Kubernetes take, without values of variables.

#include <sys/stat.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;
namespace json = boost::json;

namespace {

const std::string project = R"toml([env]
SHARED = "sekret-shared"
[ports]
WEB_PORT = 8080
[service.db]
run = "cat /dev/null"
ready = { tcp = "localhost:5432", timeout = "20s" }
stop = { signal = "INT", timeout = "0s" }
[service.web]
run = 'echo "100% $HOME" | cat; exec cat "a b" $WEB_PORT'
cwd = "apps/web %x"
after = ["migrate", { unit = "db", restart = true }]
env = { API_KEY = "sekret-key", "we.ird" = "sekret-odd" }
env_file = [".env", { path = ".env*local", required = false }]
ready = { http = "http://localhost:${WEB_PORT}/health" }
restart = "always"
max_restarts = 5
on_failure = "echo $HOB_UNIT"
[service.odd]
run = ["cat", "", ";", "$(HOME)", "100%", "a\"b\\c\n\t\u007f", "ü", "${X}", "'", "$$", "%h", "--x=y z"]
ready = { notify = true }
watchdog = "30s"
kill = "mixed"
[service.probed]
run = "cat"
ready = { exec = ["test", "-e", "a b"] }
health = { exec = ["test", "-e", "a b"] }
memory_max = "64MiB"
[task.migrate]
run = ["cat", "migrate"]
[task.backup]
run = "date +%F | tee 'x y'"
cron = "*/15 2,3 1-7 * mon"
timeout = "90s"
cwd = "sub"
jitter = "10s"
[task.tick]
run = ["cat", "100%"]
every = "5m"
on_start = true
[task.odd-period]
run = "cat"
every = "7m"
[worker.w]
run = "cat"
protocol = "lines"
)toml";

void make_project(sandbox& box) {
    box.shell("mkdir -p 'apps/web %x' sub");
    box.write(".env", "FILE_KEY=sekret-file\n");
    box.config(project);
}

outcome export_to(sandbox& box, std::vector<std::string> words) {
    words.insert(words.begin(), "export");
    return box.run(words);
}

// What a program of node says of a file, if the packages that it needs are installed.
outcome judged(sandbox& box, const std::string& package, const std::string& script, const std::string& file) {
    outcome none;
    if (!require_program("node")) return none;
    if (!exists(HOB_NPM "/node_modules/" + package)) {
        BOOST_TEST(number_from_env("HOB_REQUIRE_ALL", 0) == 0, package << " is not installed");
        return none;
    }
    box.write("judge.js", script);
    return box.shell("NODE_PATH='" HOB_NPM "/node_modules' node judge.js '" + file + "'");
}

// What kubectl says of a file: status 0, and the documents as JSON, if it knows each field and takes its
// value.
outcome judged_by_kubectl(sandbox& box, const std::string& file) {
    outcome none;
    if (!require_program("kubectl") || !require_program("python3")) return none;
    run_options options;
    options.limit = 120s;
    return box.shell("python3 '" HOB_SOURCE_DIR "/test/fixtures/kubectl_judge.py' '" + file + "'", options);
}

// `text` with its first `from` as `to`.
std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

// A line of a crontab, as cron hands it to the shell.
std::string command_of_line(std::string line) {
    for (auto at = line.find("\\%"); at != std::string::npos; at = line.find("\\%", at))
        line.erase(at, 1);
    return line.substr(line.find("cd "));
}

std::string line_with(const std::string& text, const std::string& part) {
    const auto at = text.find(part);
    if (at == std::string::npos) return {};
    const auto begin = text.rfind('\n', at) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(export_)

BOOST_AUTO_TEST_CASE(systemd_takes_the_units_as_they_are) {
    sandbox box;
    make_project(box);
    for (const char* manager : {"--system", "--user"}) {
        const auto done = export_to(box, {"systemd", manager, "-o", "units", "--force"});
        BOOST_TEST(done.status == 0, done.text());
        BOOST_TEST(done.err.find("hob: 'w': not exported: systemd has nothing that answers calls") !=
                   std::string::npos);
    }
    BOOST_TEST(export_to(box, {"systemd", "--system", "-o", "units", "-f", "-q"}).err == "");
    if (!require_program("systemd-analyze")) return;
    const auto verified = box.shell("systemd-analyze verify --man=no units/*.service units/*.timer");
    BOOST_TEST(verified.status == 0, verified.text());
    BOOST_TEST(verified.err == "", verified.err);
    // What systemd has read, with its own quoting.
    const auto read =
        box.shell("SYSTEMD_LOG_LEVEL=debug systemd-analyze verify --man=no units/*-odd.service");
    BOOST_TEST(
        line_with(read.out, "Command Line: /usr/bin/cat")
            .ends_with(
                R"x("" ";" "\$\$(HOME)" 100% "a\"b\\c\n\t\177" ü "\$\${X}" "'" "\$\$\$\$" %h "--x=y z")x"),
        line_with(read.out, "Command Line: "));
    const auto times = box.shell(
        "grep -h OnCalendar= units/*.timer | sed s/OnCalendar=// | while read -r line; do "
        "systemd-analyze calendar \"$line\" || echo failed; done");
    BOOST_TEST(count(times.out, "Next elapse: ") == 2u, times.text());
    BOOST_TEST(times.out.find("failed") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(systemd_expands_nothing_in_a_command) {
    sandbox box;
    make_project(box);
    const std::string odd = export_to(box, {"systemd", "odd", "web", "probed"}).out;
    BOOST_TEST(line_with(odd, "ExecStart=/usr/bin/cat").substr(22) ==
               R"x( "" ";" "$$(HOME)" "100%%" "a\"b\\c\n\t\x7f" "ü" "$${X}" "'" "$$$$" "%%h" "--x=y z")x");
    BOOST_TEST(line_with(odd, "Type=notify") != "");
    BOOST_TEST(line_with(odd, "WatchdogSec=") == "WatchdogSec=30");
    BOOST_TEST(line_with(odd, "ExecStart=/bin/sh -c \"echo \\\"100") ==
               R"(ExecStart=/bin/sh -c "echo \"100%% $$HOME\" | cat; exec cat \"a b\" $$WEB_PORT" web)");
    BOOST_TEST(line_with(odd, "apps/web") == "WorkingDirectory=" + box.project() + "/apps/web %%x");
    BOOST_TEST(line_with(odd, "EnvironmentFile=-") ==
               "EnvironmentFile=-" + box.project() + R"(/.env\*local)");
    BOOST_TEST(line_with(odd, "until test") ==
               R"(ExecStartPost=/bin/bash -c "until test -e 'a b'; do sleep 0.2; done")");
    BOOST_TEST(line_with(odd, "Requires=")
                   .ends_with("-migrate.service " +
                              line_with(odd, "After=").substr(line_with(odd, "After=").find(' ') + 1)));
}

BOOST_AUTO_TEST_CASE(cron_takes_the_lines_and_the_shell_gets_the_words) {
    sandbox box;
    make_project(box);
    const auto done = export_to(box, {"crontab"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out.find("\nWEB_PORT=8080\n") != std::string::npos);
    BOOST_TEST(done.err.find("'odd-period': not exported: cron cannot express its period") !=
               std::string::npos);
    // `cat 100%` says which file there is not.
    const std::string tick = line_with(done.out, "*/5 * * * * ");
    BOOST_TEST(tick.ends_with("cat 100\\%"));
    BOOST_TEST(box.shell(command_of_line(tick)).err == "cat: 100%: No such file or directory\n");
    BOOST_TEST(line_with(done.out, "@reboot").ends_with("cat 100\\%"));
    box.shell(command_of_line(line_with(done.out, "*/15 2,3 1-7 * mon ")));
    BOOST_TEST(slurp(box.project() + "/sub/x y").starts_with("20"));
    box.write("tab", done.out);
    const auto parsed =
        judged(box, "cron-parser",
               "const r = require('cron-parser').CronFileParser.parseFileSync(process.argv[2]);"
               "const bad = Object.keys(r.errors).filter((line) => !line.startsWith('@reboot'));"
               "console.log(r.expressions.length, bad.length, r.variables.WEB_PORT);",
               "tab");
    if (parsed.status >= 0) BOOST_TEST(parsed.out == "2 0 8080\n", parsed.text());
}

BOOST_AUTO_TEST_CASE(kubernetes_takes_the_documents) {
    sandbox box;
    make_project(box);
    const auto done = export_to(box, {"kubernetes", "--image", "registry.example.org/a:1"});
    BOOST_TEST(done.status == 0, done.text());
    box.write("all.yaml", done.out);
    const auto valid = judged(box, "kubernetes-models", R"js(
const YAML = require('yaml'), apps = require('kubernetes-models/apps/v1'), batch = require('kubernetes-models/batch/v1');
const kinds = {Deployment: apps.Deployment, Job: batch.Job, CronJob: batch.CronJob}, found = {};
for (const document of YAML.parseAllDocuments(require('fs').readFileSync(process.argv[2], 'utf8'))) {
  if (document.errors.length) throw document.errors[0];
  const object = document.toJS();
  if (!object) continue;
  new kinds[object.kind](object).validate();
  const spec = object.kind === 'CronJob' ? object.spec.jobTemplate.spec : object.spec;
  found[object.metadata.name] = {kind: object.kind, container: spec.template.spec.containers[0], schedule: object.spec.schedule};
}
console.log(JSON.stringify(found));
)js",
                              "all.yaml");
    if (valid.status < 0) return;
    BOOST_REQUIRE_EQUAL(valid.status, 0);
    const auto found = json::parse(valid.out).as_object();
    BOOST_TEST(found.size() == 8u);
    const auto words = [&](const char* name) {
        return json::serialize(found.at(name).at("container").at("command"));
    };
    BOOST_TEST(words("odd") ==
               json::serialize(json::array{"cat", "", ";", "$$(HOME)", "100%", "a\"b\\c\n\t\x7f", "ü", "${X}",
                                           "'", "$$", "%h", "--x=y z"}));
    BOOST_TEST(words("web") == json::serialize(json::array{
                                   "/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", "apps/web %x", "/bin/sh",
                                   "-c", "echo \"100% $HOME\" | cat; exec cat \"a b\" $WEB_PORT", "web"}));
    BOOST_TEST(found.at("web").at("container").at("readinessProbe").at("httpGet").at("port") == 8080);
    BOOST_TEST(found.at("backup").at("schedule") == "*/15 2,3 1-7 * mon");
    BOOST_TEST(found.at("odd-period").at("kind") == "Job");
    BOOST_TEST(json::serialize(found.at("web").at("container").at("env")).find("API_KEY") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(kubectl_knows_each_field_and_takes_its_value) {
    sandbox box;
    box.shell("mkdir -p 'apps/web %x' sub");
    box.write(".env", "FILE_KEY=sekret-file\n");
    box.config(project + R"toml([service.all]
run = "cat"
ready = { tcp = 5432, timeout = "30s" }
health = { http = "http://localhost:8080/well", every = "7s", timeout = "1500ms", failures = 4 }
memory_max = "64MiB"
tty = true
[service.late]
run = "cat"
ready = { delay = "3s" }
stdin = "open"
[task.zoned]
run = "cat"
cron = "5 4 * * *"
time_zone = "Europe/Berlin"
overlap = "cancel"
retry = { max = 3 }
)toml");
    const auto done = export_to(box, {"kubernetes", "--image", "registry.example.org/a:1"});
    BOOST_TEST(done.status == 0, done.text());
    box.write("all.yaml", done.out);
    const auto good = judged_by_kubectl(box, "all.yaml");
    if (good.status < 0) return;
    BOOST_REQUIRE_MESSAGE(good.status == 0, good.text());
    BOOST_TEST(json::parse(good.out).as_array().size() == 11u);
    // It refuses what is wrong, and says what.
    struct fault {
        const char *from, *to, *said;
    };
    for (const fault& one : {fault{"replicas: 1", "replicas: \"1\"", "eplicas"},
                             fault{"backoffLimit: 0", "backoffLimit: x", "ackoffLimit"},
                             fault{"livenessProbe:", "liveProbe:", "containers[0].liveProbe"},
                             fault{"kind: CronJob", "kind: Cronjob", "no matches for kind \"Cronjob\""},
                             fault{"timeZone:", "zone:", "CronJob zoned: kubectl knows no spec.zone"},
                             fault{"memory: \"67108864\"", "memory: \"64 MiB\"", "quantities must match"}}) {
        box.write("bad.yaml", with(done.out, one.from, one.to));
        const auto bad = judged_by_kubectl(box, "bad.yaml");
        BOOST_TEST(bad.status == 1, one.to << ": " << bad.text());
        BOOST_TEST(bad.err.find(one.said) != std::string::npos, one.to << ": " << bad.text());
    }
}

BOOST_AUTO_TEST_CASE(labels_are_those_that_kubernetes_takes) {
    for (const auto& [directory, label] : std::vector<std::pair<std::string, std::string>>{
             {"my app (2)", "my_app__2"}, {"\xd0\xbf", ""}, {"_x.", "x"}}) {
        sandbox box({.uid = {}, .project = directory});
        box.config("[service.s]\nrun = \"cat\"\n");
        const auto done = export_to(box, {"kubernetes", "--image", "i"});
        BOOST_TEST(line_with(done.out, "part-of") ==
                   (label.empty() ? label : "    app.kubernetes.io/part-of: \"" + label + "\""));
        box.write("all.yaml", done.out);
        const auto judged = judged_by_kubectl(box, "all.yaml");
        if (judged.status >= 0) BOOST_TEST(judged.status == 0, judged.text());
    }
}

BOOST_AUTO_TEST_CASE(values_of_variables_are_never_shown) {
    sandbox box;
    make_project(box);
    for (const auto& words : std::vector<std::vector<std::string>>{{"systemd"},
                                                                   {"systemd", "--system"},
                                                                   {"procfile"},
                                                                   {"crontab"},
                                                                   {"kubernetes", "--image", "i"}}) {
        for (const bool as_json : {false, true}) {
            std::vector<std::string> all = words;
            if (as_json) all.insert(all.begin(), "--json");
            const auto done = export_to(box, all);
            BOOST_TEST_CONTEXT(words.front()) {
                BOOST_TEST(done.status == 0);
                BOOST_TEST(done.text().find("sekret") == std::string::npos, done.text());
                BOOST_TEST(done.text().find("SHARED") != std::string::npos);
            }
        }
    }
    BOOST_TEST(!exists(box.runtime()));
}

BOOST_AUTO_TEST_CASE(stop_commands_time_zones_and_terminals) {
    sandbox box;
    box.config(
        "[service.s]\nrun = \"cat\"\nstop = { run = \"cat stop\" }\ntty = true\nhealth = { tcp = 1 }\n"
        "[task.t]\nrun = \"cat\"\ncron = \"5 4 * * *\"\ntime_zone = \"UTC\"\n");
    const auto units = export_to(box, {"systemd"});
    BOOST_TEST(line_with(units.out, "ExecStop=").ends_with("/cat stop"));
    BOOST_TEST(line_with(units.out, "OnCalendar=") == "OnCalendar=*-*-* 04:05:00 UTC");
    BOOST_TEST(units.err.find("hob: 's': without tty\n") != std::string::npos, units.err);
    BOOST_TEST(units.err.find("hob: 's': without health: systemd probes nothing") != std::string::npos,
               units.err);
    const auto documents = export_to(box, {"kubernetes", "--image", "i"});
    BOOST_TEST(documents.out.find("  timeZone: \"UTC\"\n") != std::string::npos);
    BOOST_TEST(documents.out.find("    tty: true\n") != std::string::npos);
    BOOST_TEST(documents.err.find("hob: 's': without stop.run\n") != std::string::npos, documents.err);
    BOOST_TEST(export_to(box, {"crontab"}).err.find("hob: 't': without time_zone\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(health_and_limits_go_where_there_is_a_place_for_them) {
    sandbox box;
    box.config(
        "[service.s]\nrun = 'cat'\nready = { log = 'up', timeout = '30s' }\nmemory_max = '64MiB'\n"
        "pids_max = 9\ncpu_weight = 200\nwatch = ['src']\n"
        "health = { http = 'http://localhost:8080/well', every = '7s', timeout = '1500ms', failures = 4 }\n"
        "[service.e]\nrun = 'cat'\nhealth = { exec = ['test', '-e', '$(x)'] }\n"
        "[service.u]\nrun = 'cat'\nhealth = { unix = 'a.sock' }\n");
    const auto documents = export_to(box, {"kubernetes", "--image", "i", "-o", "k"});
    const std::string text = slurp(box.project() + "/k/p.yaml");
    const std::string action =
        "            httpGet:\n              path: \"/well\"\n              port: 8080\n";
    BOOST_TEST(text.find("          livenessProbe:\n" + action +
                         "            periodSeconds: 7\n            timeoutSeconds: 2\n            "
                         "failureThreshold: 4\n          startupProbe:\n" +
                         action +
                         "            periodSeconds: 2\n            timeoutSeconds: 2\n            "
                         "failureThreshold: 15\n") != std::string::npos,
               text);
    BOOST_TEST(text.find("          resources:\n            limits:\n              memory: \"67108864\"\n") !=
                   std::string::npos,
               text);
    BOOST_TEST(text.find("command: [\"test\", \"-e\", \"$$(x)\"]\n            periodSeconds: 10\n") !=
                   std::string::npos,
               text);
    BOOST_TEST(documents.err.find("hob: 's': without pids_max, cpu_weight, watch\n") != std::string::npos,
               documents.err);
    BOOST_TEST(documents.err.find("hob: 'u': without health.unix\n") != std::string::npos, documents.err);
    const auto units = export_to(box, {"systemd", "--system", "-o", "units"});
    const std::string unit = slurp(box.project() + "/units/p-s.service");
    for (const char* line : {"MemoryMax=67108864\n", "OOMPolicy=kill\n", "TasksMax=9\n", "CPUWeight=200\n"})
        BOOST_TEST(unit.find(line) != std::string::npos, unit);
    BOOST_TEST(units.err.find("hob: 's': without watch\n") != std::string::npos, units.err);
    if (!require_program("systemd-analyze")) return;
    const auto verified = box.shell("systemd-analyze verify --man=no units/p-s.service");
    BOOST_TEST(verified.status == 0, verified.text());
    BOOST_TEST(verified.err == "", verified.err);
}

BOOST_AUTO_TEST_CASE(each_key_that_is_not_carried_over_is_named) {
    sandbox box;
    box.config(
        "include = { in = \"sub/units.toml\" }\n[task.t]\nrun = \"x\"\ncron = \"@daily\"\nwatch = "
        "[\"a\"]\ndebounce = \"1s\"\n");
    box.shell("mkdir sub");
    box.write("sub/units.toml", "[task.u]\nrun = \"x\"\nevery = \"1h\"\nwatch = [\"b\"]\n");
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"systemd"}, {"crontab"}, {"kubernetes", "--image", "i"}}) {
        const auto done = export_to(box, words);
        BOOST_TEST(done.status == 0, done.text());
        for (const char* unit : {"t", "in.u"}) {
            BOOST_TEST(
                done.err.find("hob: '" + std::string(unit) + "': without watch\n") != std::string::npos,
                words.front() << ": " << done.err);
        }
        BOOST_TEST(count(done.out, "# without watch\n") == 2u);
    }
}

BOOST_AUTO_TEST_CASE(faults_are_named_and_nothing_is_overwritten) {
    sandbox box;
    make_project(box);
    const auto unknown = export_to(box, {"launchd"});
    BOOST_TEST(unknown.status == 2);
    BOOST_TEST(unknown.err ==
               "hob: cannot export to 'launchd': it is no format\nhint: the formats are systemd, procfile, "
               "crontab and kubernetes\n");
    BOOST_TEST(export_to(box, {"kubernetes"})
                   .err.starts_with("hob: cannot export to 'kubernetes': it needs an image\n"));
    BOOST_TEST(export_to(box, {"crontab", "--image", "x"}).status == 2);
    BOOST_TEST(export_to(box, {"crontab", "nobody"}).err.starts_with("hob: cannot export 'nobody': "));
    BOOST_TEST(export_to(box, {"crontab", "-q", "web"}).err ==
               "hob: cannot export to 'crontab': no unit can be exported\n");
    BOOST_TEST(export_to(box, {"procfile", "-q", "-o", "out", "web"}).status == 0);
    const std::string before = slurp(box.project() + "/out/Procfile");
    const auto again = export_to(box, {"procfile", "-q", "-o", "out", "db"});
    BOOST_TEST(again.status == 2);
    BOOST_TEST(again.err.find("it exists already") != std::string::npos);
    BOOST_TEST(slurp(box.project() + "/out/Procfile") == before);
    sandbox none;
    none.shell("rm hob.toml");
    BOOST_TEST(export_to(none, {"systemd"}).err.find("no hob.toml in") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
