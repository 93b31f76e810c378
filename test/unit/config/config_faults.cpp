// Every fault of hob.toml: the position, the words and the hint.
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "error.hpp"
#include "unit/config/config.hpp"

using namespace hob;
using unit::parse_config;

namespace {

struct fault {
    std::string text;
    std::string where;    // "LINE:COLUMN"
    std::string message;  // from the reason on
    std::string hint;
};

void expect(const std::vector<fault>& faults) {
    for (const auto& [text, where, message, hint] : faults) {
        BOOST_TEST_CONTEXT(text) {
            try {
                parse_config(text, "/p/hob.toml");
                BOOST_ERROR("accepted");
            } catch (const failure& error) {
                BOOST_TEST((error.kind() == error_kind::config));
                BOOST_TEST(error.what() == "cannot use '/p/hob.toml:" + where + "': " + message);
                BOOST_TEST(error.hint() == hint);
            }
        }
    }
}

std::string worker(const std::string& lines) { return "[worker.w]\nrun = \"w\"\n" + lines; }
std::string service(const std::string& lines) { return "[service.s]\nrun = \"s\"\n" + lines; }
std::string task(const std::string& lines) { return "[task.t]\nrun = \"t\"\n" + lines; }

const std::string duration_hint =
    "a duration is a number and its unit: \"250ms\", \"5s\", \"10m\", \"2h\", \"1d\", \"1m30s\"";

}  // namespace

BOOST_AUTO_TEST_SUITE(config_faults)

BOOST_AUTO_TEST_CASE(syntax) {
    expect({
        {"[daemon", "1:8", "not valid TOML: table header: encountered end-of-file", ""},
        {"a = \"x", "1:7", "not valid TOML: string: encountered end-of-file", ""},
        {"[log]\nformat = \"json\"\nformat = \"text\"\n", "3:10",
         "not valid TOML: key-value pair: cannot redefine existing string 'format'", ""},
        {"[log]\r\n[log]\r\n", "2:1", "not valid TOML: table header: cannot redefine existing table 'log'",
         ""},
        {std::string("[log]\n# a\0b", 11), "2:4", "a NUL byte is not text", ""},
        {"\xff\xfe[\0l\0", "1:1", "not UTF-8: this looks like UTF-16", ""},
        {"[log]\n# \xc3\xa9 \xff\n", "2:5", "not UTF-8: byte 0xff", ""},
        {"a = \"\xc3\xa9\xe9t\xe9\"\n", "1:7", "not UTF-8: byte 0xe9", ""},
        {"# \xef\xba\xbf\nlog.\xef\xba\xbf = 1\n", "2:5",
         "not valid TOML: a letter that needs quotes around it", ""},
    });
}

BOOST_AUTO_TEST_CASE(a_key_of_too_many_parts_is_an_error_and_no_stack_overflow) {
    std::string endless = "a";
    for (int i = 0; i < 400'000; ++i)
        endless += ".a";
    expect({
        {endless + " = 1", "1:32", "a key has more than 16 parts", ""},
        {"[" + endless + "]", "1:33", "a key has more than 16 parts", ""},
        {"x = \"\"\"a\"\"\"\"\n" + endless + " = 1", "2:32", "a key has more than 16 parts", ""},
        {"x = {y = \"\"\"a\"\"\"\", " + endless + " = 1}", "1:51", "a key has more than 16 parts", ""},
    });
    BOOST_CHECK_THROW(parse_config("a = " + std::string(500'000, '['), "/p/hob.toml"), failure);
    BOOST_CHECK_THROW(parse_config("a = " + std::string(500'000, '{'), "/p/hob.toml"), failure);
    std::string nested = "a = ";
    for (int i = 0; i < 10'000; ++i)
        nested += "{ a.a.a.a.a.a.a.a = ";
    BOOST_CHECK_THROW(parse_config(nested, "/p/hob.toml"), failure);
}

BOOST_AUTO_TEST_CASE(unknown_keys) {
    expect({
        {"[daemon]\n  shutdwn_timeout = \"1s\"\n", "2:3", "unknown key 'shutdwn_timeout' in [daemon]",
         "did you mean 'shutdown_timeout'?"},
        {"[workers.x]\nrun = \"x\"\n", "1:2", "unknown key 'workers' in the file", "did you mean 'worker'?"},
        {"verbose = true\n", "1:1", "unknown key 'verbose' in the file", ""},
        {"[log]\nlevle = \"info\"\n", "2:1", "unknown key 'levle' in [log]", "did you mean 'level'?"},
        {worker("restart = \"always\"\n"), "3:1", "unknown key 'restart' in [worker.w]",
         "only a service has it: [service.NAME]"},
        {service("every = \"5m\"\n"), "3:1", "unknown key 'every' in [service.s]",
         "only a task has it: [task.NAME]"},
        {task("idle_timeout = \"5m\"\n"), "3:1", "unknown key 'idle_timeout' in [task.t]",
         "only a worker has it: [worker.NAME]"},
        {task("schedule = \"* * * * *\"\n"), "3:1", "unknown key 'schedule' in [task.t]",
         "did you mean 'cron'?"},
        {service("depends_on = [\"x\"]\n"), "3:1", "unknown key 'depends_on' in [service.s]",
         "did you mean 'after'?"},
        {service("stop = { signal = \"TERM\", timout = \"1s\" }\n"), "3:27",
         "unknown key 'timout' in [service.s.stop]", "did you mean 'timeout'?"},
        {service("[service.s.backoff]\nmn = \"1s\"\n"), "4:1", "unknown key 'mn' in [service.s.backoff]",
         "did you mean 'min'?"},
        {service("ready = { tpc = 80 }\n"), "3:11", "unknown key 'tpc' in [service.s.ready]",
         "did you mean 'tcp'?"},
        {service("ready = { http = { ulr = \"http://localhost\" } }\n"), "3:20",
         "unknown key 'ulr' in [service.s.ready.http]", "did you mean 'url'?"},
        {task("retry = { count = 3 }\n"), "3:11", "unknown key 'count' in [task.t.retry]", ""},
        {"[worker.\"a.b\"]\nrun = \"x\"\nfoo = 1\n", "3:1", "unknown key 'foo' in [worker.\"a.b\"]", ""},
        {"[log]\n\"a\\nb\" = 1\n", "2:1", "unknown key 'a\\x0ab' in [log]", ""},
    });
}

BOOST_AUTO_TEST_CASE(wrong_types) {
    expect({
        {"daemon = 1\n", "1:10", "'daemon' in the file must be a table, such as [daemon], not an integer",
         ""},
        {"worker = []\n", "1:10", "'worker' in the file must be a table, such as [worker.NAME], not an array",
         ""},
        {"[worker]\nw = \"x\"\n", "2:5", "[worker.w] must be a table, not a string", ""},
        {"[[worker.w]]\nrun = \"x\"\n", "1:1", "[worker.w] must be a table, not an array", ""},
        {"[log]\nlevel = 1\n", "2:9", "'level' in [log] must be a string, such as \"info\", not an integer",
         ""},
        {"[log]\nsyslog = 1.5\n", "2:10",
         "'syslog' in [log] must be true or false, not a number with a fraction", ""},
        {"[log]\nsyslog = \"true\"\n", "2:10", "'syslog' in [log] must be true or false, not a string",
         "without quotes: syslog = true"},
        {"[log]\nmax_size = 10\n", "2:12",
         "'max_size' in [log] must be a size, such as \"10MiB\", not an integer", ""},
        {"[log]\nmax_files = \"5\"\n", "2:13",
         "'max_files' in [log] must be an integer, such as 5, not a string", ""},
        {"[log]\nformat = true\n", "2:10",
         "'format' in [log] must be a string, such as \"json\", not true or false", ""},
        {"[daemon]\nidle_timeout = 30\n", "2:16",
         "'idle_timeout' in [daemon] must be a duration, such as \"10s\", not an integer",
         "did you mean \"30s\"?"},
        {"[daemon]\nidle_timeout = 2026-01-01\n", "2:16",
         "'idle_timeout' in [daemon] must be a duration, such as \"10s\", not a date or time", ""},
        {"[worker.w]\nrun = 1\n", "2:7",
         "'run' in [worker.w] must be a string or an array of strings, such as [\"program\", \"argument\"], "
         "not an integer",
         ""},
        {"[worker.w]\nrun = [\"a\", 1]\n", "2:13", "'run' in [worker.w] must hold strings, not an integer",
         ""},
        {worker("env = \"A=1\"\n"), "3:7",
         "'env' in [worker.w] must be a table, such as { NAME = \"value\" }, not a string", ""},
        {worker("env = { A = 5432 }\n"), "3:13", "'A' in [worker.w.env] must be a string, not an integer",
         "did you mean \"5432\"?"},
        {worker("env_file = [\".env\"]\n"), "3:12",
         "'env_file' in [worker.w] must be a string, such as \".env\", not an array", ""},
        {worker("cwd = 1\n"), "3:7",
         "'cwd' in [worker.w] must be a string, such as \"server\", not an integer", ""},
        {worker("stop = \"TERM\"\n"), "3:8",
         "'stop' in [worker.w] must be a table, such as { signal = \"TERM\", timeout = \"5s\" }, not a "
         "string",
         ""},
        {worker("stop = { signal = 15 }\n"), "3:19",
         "'signal' in [worker.w.stop] must be a string, such as \"TERM\", not an integer", ""},
        {worker("kill = true\n"), "3:8",
         "'kill' in [worker.w] must be a string, such as \"all\", not true or false", ""},
        {worker("after = \"x\"\n"), "3:9",
         "'after' in [worker.w] must be an array, such as [\"db\"], not a string", ""},
        {worker("after = [1]\n"), "3:10", "'after' in [worker.w] must hold strings, not an integer", ""},
        {worker("on_failure = {}\n"), "3:14",
         "'on_failure' in [worker.w] must be a string or an array of strings, such as [\"program\", "
         "\"argument\"], not a "
         "table",
         ""},
        {worker("protocol = 1\n"), "3:12",
         "'protocol' in [worker.w] must be a string, such as \"jsonrpc\", not an integer", ""},
        {worker("initialize = \"{}\"\n"), "3:14",
         "'initialize' in [worker.w] must be a table, such as { capabilities = { } }, not a string", ""},
        {worker("call_timeout = true\n"), "3:16",
         "'call_timeout' in [worker.w] must be a duration, such as \"10s\", not true or false", ""},
        {service("ready = \"tcp\"\n"), "3:9",
         "'ready' in [service.s] must be a table, such as { tcp = 5432 }, not a string", ""},
        {service("restart = true\n"), "3:11",
         "'restart' in [service.s] must be a string, such as \"always\", not true or false", ""},
        {service("max_restarts = \"3\"\n"), "3:16",
         "'max_restarts' in [service.s] must be an integer, such as 0, not a string", ""},
        {service("backoff = \"1s\"\n"), "3:11",
         "'backoff' in [service.s] must be a table, such as { min = \"200ms\", max = \"30s\" }, not a string",
         ""},
        {service("autostart = \"yes\"\n"), "3:13",
         "'autostart' in [service.s] must be true or false, not a string", ""},
        {task("every = 5\n"), "3:9",
         "'every' in [task.t] must be a duration, such as \"10s\", not an integer", "did you mean \"5s\"?"},
        {task("cron = 5\n"), "3:8",
         "'cron' in [task.t] must be a string, such as \"*/5 * * * *\", not an integer", ""},
        {task("on_start = 1\n"), "3:12", "'on_start' in [task.t] must be true or false, not an integer", ""},
        {task("jitter = 1\n"), "3:10",
         "'jitter' in [task.t] must be a duration, such as \"10s\", not an integer", "did you mean \"1s\"?"},
        {task("catch_up = false\n"), "3:12",
         "'catch_up' in [task.t] must be a string, such as \"once\", not true or false", ""},
        {task("overlap = 1\n"), "3:11",
         "'overlap' in [task.t] must be a string, such as \"skip\", not an integer", ""},
        {task("timeout = []\n"), "3:11",
         "'timeout' in [task.t] must be a duration, such as \"10s\", not an array", ""},
        {task("retry = 3\n"), "3:9",
         "'retry' in [task.t] must be a table, such as { max = 3, delay = \"10s\" }, not an integer", ""},
        {task("retry = { max = 1.0 }\n"), "3:17",
         "'max' in [task.t.retry] must be an integer, such as 0, not a number with a fraction", ""},
        {task("keep = \"all\"\n"), "3:8", "'keep' in [task.t] must be an integer, such as 200, not a string",
         ""},
        {task("watch = \"src\"\n"), "3:9",
         "'watch' in [task.t] must be an array, such as [\"src/**/*.c\"], not a string", ""},
        {task("watch = [\"a\", \"\"]\n"), "3:15", "'watch' in [task.t] has an empty string in it", ""},
        {task("ignore = {}\n"), "3:10",
         "'ignore' in [task.t] must be an array, such as [\"build/**\"], not a table", ""},
        {task("gitignore = \"false\"\n"), "3:13",
         "'gitignore' in [task.t] must be true or false, not a string", "without quotes: gitignore = false"},
        {task("debounce = 100\n"), "3:12",
         "'debounce' in [task.t] must be a duration, such as \"10s\", not an integer",
         "did you mean \"100s\"?"},
    });
}

BOOST_AUTO_TEST_CASE(bad_values) {
    expect({
        {"[daemon]\nidle_timeout = \"30\"\n", "2:16", "'idle_timeout' in [daemon] is not a duration: '30'",
         duration_hint},
        {"[daemon]\nidle_timeout = \"0\"\n", "2:16",
         "'idle_timeout' in [daemon] must be at least 1ms, not '0'", ""},
        {"[daemon]\nshutdown_timeout = \"0s\"\n", "2:20",
         "'shutdown_timeout' in [daemon] must be at least 1ms, not '0s'", ""},
        {"[daemon]\nshutdown_timeout = \"121s\"\n", "2:20",
         "'shutdown_timeout' in [daemon] must be at most 120s, not '121s'", ""},
        {"[log]\nmax_size = \"10M\"\n", "2:12", "'max_size' in [log] is not a size: '10M'",
         "a size is a whole number and its unit: \"64KiB\", \"10MiB\", \"1GiB\", \"512B\", \"10MB\""},
        {"[log]\nmax_size = \"1KiB\"\n", "2:12", "'max_size' in [log] must be at least 4KiB, not '1KiB'", ""},
        {"[log]\nmax_files = 0\n", "2:13", "'max_files' in [log] must be from 1 to 1000, not 0", ""},
        {"[log]\nmax_files = 9223372036854775807\n", "2:13",
         "'max_files' in [log] must be from 1 to 1000, not 9223372036854775807", ""},
        {"[log]\nformat = \"jsno\"\n", "2:10", "'format' in [log] must be one of json text, not 'jsno'",
         "did you mean 'json'?"},
        {"[log]\nlevel = \"\"\n", "2:9", "'level' in [log] is empty", ""},
        {worker("kill = \"grop\"\n"), "3:8", "'kill' in [worker.w] must be one of all group main mixed, not 'grop'",
         "did you mean 'group'?"},
        {worker("protocol = \"json-rpc\"\n"), "3:12",
         "'protocol' in [worker.w] must be one of jsonrpc lsp dap mcp lines, not 'json-rpc'",
         "did you mean 'jsonrpc'?"},
        {worker("protocol = \"lines\"\ninitialize = { a = 1 }\n"), "4:14",
         "'initialize' in [worker.w] has no effect: protocol 'lines' has no handshake",
         "protocols with a handshake: lsp dap mcp"},
        {worker("answers = [1]\n"), "3:11",
         "'answers' in [worker.w] must be a table, such as { \"workspace/applyEdit\" = { applied = false } "
         "}, "
         "not an array",
         ""},
        {worker("answers = { a = [inf] }\n"), "3:18",
         "'answers' in [worker.w] has a number that JSON does not have", ""},
        {worker("settings = \"x\"\n"), "3:12",
         "'settings' in [worker.w] must be a table, such as { bashIde = { explainshellEndpoint = \"\" } }, "
         "not "
         "a string",
         ""},
        {worker("protocol = \"lsp\"\nsettings = { a = nan }\n"), "4:18",
         "'settings' in [worker.w] has a number that JSON does not have", ""},
        {worker("protocol = \"mcp\"\nsettings = { a = 1 }\n"), "4:12",
         "'settings' in [worker.w] has no effect: protocol 'lsp' alone asks for settings", ""},
        {worker("serial = \"build\"\n"), "3:10",
         "'serial' in [worker.w] must be an array, such as [\"build\", \"test\"], not a string", ""},
        {worker("serial = [1]\n"), "3:11", "'serial' in [worker.w] must hold strings, not an integer", ""},
        {worker("protocol = \"lsp\"\ninitialize = { a = [nan] }\n"), "4:21",
         "'initialize' in [worker.w] has a number that JSON does not have", ""},
        {worker("stop = { signal = \"TREM\" }\n"), "3:19",
         "'signal' in [worker.w.stop] names no signal: 'TREM'", "did you mean 'TERM'?"},
        {worker("stop = { signal = \"sigint\" }\n"), "3:19",
         "'signal' in [worker.w.stop] names no signal: 'sigint'", "did you mean 'INT'?"},
        {worker("stop = { signal = \"STOP\" }\n"), "3:19",
         "'signal' in [worker.w.stop] cannot be 'STOP': it does not end a process", "TERM is the usual one"},
        {worker("env = { HOB_UNIT = \"x\" }\n"), "3:9", "'HOB_UNIT' in [worker.w.env] is set by hob itself",
         ""},
        {worker("env = { \"\" = \"x\" }\n"), "3:9", "'' in [worker.w.env] is no name of a variable", ""},
        {worker("env = { \"A=B\" = \"x\" }\n"), "3:9", "'A=B' in [worker.w.env] is no name of a variable",
         ""},
        {worker("env = { A = \"x\\u0000\" }\n"), "3:13", "'A' in [worker.w.env] has a NUL byte in it", ""},
        {worker("env_file = \"\"\n"), "3:12", "'env_file' in [worker.w] is empty", ""},
        {worker("cwd = \"~/x\"\n"), "3:7", "'cwd' in [worker.w] is '~/x', and '~' is not expanded",
         "write the path out"},
        {worker("cwd = \"a\\u0000b\"\n"), "3:7", "'cwd' in [worker.w] has a NUL byte in it", ""},
        {service("restart = \"on_failure\"\n"), "3:11",
         "'restart' in [service.s] must be one of always on-failure never, not 'on_failure'",
         "did you mean 'on-failure'?"},
        {service("max_restarts = -1\n"), "3:16",
         "'max_restarts' in [service.s] must be from 0 to 1000000, not -1", ""},
        {service("backoff = { min = \"1m\", max = \"30s\" }\n"), "3:31",
         "'backoff' in [service.s] has a min (1m) longer than its max (30s)", ""},
        {service("backoff = { min = \"1m\" }\n"), "3:19",
         "'backoff' in [service.s] has a min (1m) longer than its max (30s)", ""},
        {service("backoff = { min = \"0\" }\n"), "3:19",
         "'min' in [service.s.backoff] must be at least 1ms, not '0'", ""},
        {task("every = \"5m\"\ncron = \"@daily\"\n"), "4:8", "'cron' in [task.t] cannot stand beside 'every'",
         "a task has one schedule; make a second task of it"},
        {task("cron = \"@daily\"\nevery = \"5m\"\n"), "4:9", "'every' in [task.t] cannot stand beside 'cron'",
         "a task has one schedule; make a second task of it"},
        {task("every = \"0s\"\n"), "3:9", "'every' in [task.t] must be at least 1ms, not '0s'", ""},
        {task("cron = \"60 * * * *\"\n"), "3:8",
         "'cron' in [task.t] ('60 * * * *'): the minute must be from 0 to 59, not 60", ""},
        {task("every = \"1m\"\njitter = \"60s\"\n"), "4:10",
         "'jitter' in [task.t] must be shorter than 'every' (1m)", ""},
        {task("catch_up = \"on\"\n"), "3:12", "'catch_up' in [task.t] must be one of once none, not 'on'",
         ""},
        {task("overlap = \"skipp\"\n"), "3:11",
         "'overlap' in [task.t] must be one of skip queue cancel, not 'skipp'", "did you mean 'skip'?"},
        {task("keep = 0\n"), "3:8", "'keep' in [task.t] must be from 1 to 1000000, not 0", ""},
        {task("watch = [\"src/[ab.c\"]\n"), "3:10",
         "'watch' in [task.t] has a pattern with an open '[': 'src/[ab.c'", ""},
    });
}

BOOST_AUTO_TEST_CASE(names_and_run) {
    expect({
        {"[worker.w]\n", "1:9", "[worker.w] has no 'run'", "run = \"command\" says what it executes"},
        {"[worker.w]\nrnu = \"x\"\n", "2:1", "unknown key 'rnu' in [worker.w]", "did you mean 'run'?"},
        {"[worker.w]\ncommand = \"x\"\n", "2:1", "unknown key 'command' in [worker.w]",
         "did you mean 'run'?"},
        {"[worker.w]\nrun = \"\"\n", "2:7", "'run' in [worker.w] is empty", ""},
        {"[worker.w]\nrun = \" \\n\\t\"\n", "2:7", "'run' in [worker.w] is empty", ""},
        {"[worker.w]\nrun = []\n", "2:7", "'run' in [worker.w] is empty", ""},
        {"[worker.w]\nrun = [\"\", \"a\"]\n", "2:8",
         "'run' in [worker.w] names no program: its first element is empty", ""},
        {"[worker.w]\nrun = [\"a\", \"b\\u0000\"]\n", "2:13", "'run' in [worker.w] has a NUL byte in it", ""},
        {"[worker.w]\nrun = \"a\\u0000b\"\n", "2:7", "'run' in [worker.w] has a NUL byte in it", ""},
        {worker("on_failure = \"\"\n"), "3:14", "'on_failure' in [worker.w] is empty", ""},
        {"[worker.daemon]\nrun = \"x\"\n", "1:9", "the name of [worker.daemon] means hob's own daemon", ""},
        {"[worker.-x]\nrun = \"x\"\n", "1:9", "the name of [worker.-x] must begin with a letter or digit",
         ""},
        {"[worker.\".x\"]\nrun = \"x\"\n", "1:9",
         "the name of [worker.\".x\"] must begin with a letter or digit", ""},
        {"[worker.\"\"]\nrun = \"x\"\n", "1:9", "the name of [worker.\"\"] is empty", ""},
        {"[worker.\"a/b\"]\nrun = \"x\"\n", "1:9",
         "the name of [worker.\"a/b\"] may have letters, digits, '.', '_' and '-' only", ""},
        {"[worker.\"caf\xc3\xa9\"]\nrun = \"x\"\n", "1:9",
         "the name of [worker.\"caf\xc3\xa9\"] may have letters, digits, '.', '_' and '-' only", ""},
        {"[worker." + std::string(65, 'a') + "]\nrun = \"x\"\n", "1:9",
         "the name of [worker." + std::string(65, 'a') + "] is longer than 64 characters", ""},
        {"[worker.x]\nrun = \"x\"\n[service.x]\nrun = \"x\"\n", "3:10",
         "the name 'x' is taken by the worker on line 1",
         "names are unique over workers, services and tasks"},
        {"[task.x]\nrun = \"x\"\n[worker.x]\nrun = \"x\"\n", "3:9",
         "the name 'x' is taken by the task on line 1", "names are unique over workers, services and tasks"},
    });
}

BOOST_AUTO_TEST_CASE(readiness) {
    const std::string hint =
        "one of tcp = PORT, http = \"http://…\", exec = COMMAND, log = \"pattern\", notify = true, delay = "
        "\"1s\"";
    const std::string tcp_hint =
        "ADDRESS is numeric or localhost: \"127.0.0.1:5432\", \"[::1]:5432\", \"localhost:5432\"";
    const std::string url_hint =
        "http://ADDRESS[:PORT][/PATH], ADDRESS numeric or localhost: \"http://localhost:8080/health\"";
    expect({
        {service("ready = {}\n"), "3:9", "'ready' in [service.s] does not say when the service is ready",
         hint},
        {service("ready = { timeout = \"1s\" }\n"), "3:9",
         "'ready' in [service.s] does not say when the service is ready", hint},
        {service("ready = { tcp = 80, log = \"x\" }\n"), "3:21", "[service.s.ready] has both 'tcp' and 'log'",
         hint},
        {service("ready = { tcp = 0 }\n"), "3:17",
         "'tcp' in [service.s.ready] must be a port from 1 to 65535, not 0", ""},
        {service("ready = { tcp = 65536 }\n"), "3:17",
         "'tcp' in [service.s.ready] must be a port from 1 to 65535, not 65536", ""},
        {service("ready = { tcp = true }\n"), "3:17",
         "'tcp' in [service.s.ready] must be a port or \"ADDRESS:PORT\", not true or false", ""},
        {service("ready = { tcp = \"db.example:1\" }\n"), "3:17",
         "'tcp' in [service.s.ready] is not \"ADDRESS:PORT\": 'db.example:1'", tcp_hint},
        {service("ready = { tcp = \"localhost\" }\n"), "3:17",
         "'tcp' in [service.s.ready] is not \"ADDRESS:PORT\": 'localhost'", tcp_hint},
        {service("ready = { http = 80 }\n"), "3:18",
         "'http' in [service.s.ready] must be a URL or { url = \"…\", status = 200 }, not an integer", ""},
        {service("ready = { http = \"https://localhost/\" }\n"), "3:18",
         "'http' in [service.s.ready] is not a URL that hob can ask: 'https://localhost/'", url_hint},
        {service("ready = { http = \"http://example.com/\" }\n"), "3:18",
         "'http' in [service.s.ready] is not a URL that hob can ask: 'http://example.com/'", url_hint},
        {service("ready = { http = \"http://localhost/a b\" }\n"), "3:18",
         "'http' in [service.s.ready] is not a URL that hob can ask: 'http://localhost/a b'", url_hint},
        {service("ready = { http = \"http://localhost:99999/\" }\n"), "3:18",
         "'http' in [service.s.ready] is not a URL that hob can ask: 'http://localhost:99999/'", url_hint},
        {service("ready = { http = { status = 200 } }\n"), "3:18", "[service.s.ready.http] has no 'url'", ""},
        {service("ready = { log = \"x\", owner = \"any\" }\n"), "3:30",
         "'owner' in [service.s.ready] needs tcp or http", "it says whose port that may be"},
        {service("ready = { http = { url = \"http://localhost\", status = 20 } }\n"), "3:55",
         "'status' in [service.s.ready.http] must be from 100 to 599, not 20", ""},
        {service("ready = { exec = [] }\n"), "3:18", "'exec' in [service.s.ready] is empty", ""},
        {service("ready = { log = \"a(\" }\n"), "3:17",
         "'log' in [service.s.ready] is not a regular expression: Unmatched ( or \\(: 'a('", ""},
        {service("ready = { log = \"\" }\n"), "3:17", "'log' in [service.s.ready] is empty", ""},
        {service("ready = { notify = false }\n"), "3:20", "'notify' in [service.s.ready] can only be true",
         "or leave it out"},
        {service("ready = { delay = 1 }\n"), "3:19",
         "'delay' in [service.s.ready] must be a duration, such as \"10s\", not an integer",
         "did you mean \"1s\"?"},
        {service("ready = { tcp = 1, timeout = \"0\" }\n"), "3:30",
         "'timeout' in [service.s.ready] must be at least 1ms, not '0'", ""},
    });
}

BOOST_AUTO_TEST_CASE(U04_dependencies_that_cannot_be) {
    const std::string hint = "take one of them out of the other's 'after'";
    expect({
        {service("after = [\"s\"]\n"), "3:10", "'s' cannot be started after itself", ""},
        {"[service.db]\nrun = \"x\"\n[task.t]\nrun = \"t\"\nafter = [\"dbb\"]\n", "5:10",
         "unknown unit 'dbb' in 'after' of 't'", "did you mean 'db'?"},
        {service("after = [\"nothing-like-it\"]\n"), "3:10",
         "unknown unit 'nothing-like-it' in 'after' of 's'", ""},
        {"[service.a]\nrun = \"x\"\n[task.t]\nrun = \"t\"\nafter = [\"a\", \"a\"]\n", "5:15",
         "'a' stands twice in 'after' of 't'", ""},
        {"[service.a]\nrun = \"x\"\nafter = [\"b\"]\n[worker.b]\nrun = \"x\"\nafter = [\"a\"]\n", "6:10",
         "units wait for each other: a -> b -> a", hint},
        {"[service.x]\nrun = \"x\"\nafter = [\"a\"]\n[service.a]\nrun = \"x\"\nafter = "
         "[\"b\"]\n[task.b]\nrun = \"x\"\n"
         "after = [\"c\"]\n[worker.c]\nrun = \"x\"\nafter = [\"x2\", \"a\"]\n[worker.x2]\nrun = \"x\"\n",
         "12:16", "units wait for each other: a -> b -> c -> a", hint},
    });
}

BOOST_AUTO_TEST_CASE(the_first_fault_by_position_is_told) {
    expect({
        {"[log]\nmax_files = 0\n[daemon]\nidle_timeout = 1\n", "2:13",
         "'max_files' in [log] must be from 1 to 1000, not 0", ""},
        {"[task.t]\nrun = \"t\"\nafter = [\"none\"]\nkeep = 0\n", "3:10",
         "unknown unit 'none' in 'after' of 't'", ""},
        {"[worker.w]\nfoo = 1\n", "1:9", "[worker.w] has no 'run'",
         "run = \"command\" says what it executes"},
    });
}

BOOST_AUTO_TEST_CASE(a_message_is_one_line_of_bounded_length_whatever_the_value) {
    const std::string endless(1'000'000, 'x');
    try {
        parse_config("[log]\nformat = \"\"\"\n" + endless + "\n" + endless + "\"\"\"", "/p/hob.toml");
        BOOST_ERROR("accepted");
    } catch (const failure& error) {
        const std::string_view message = error.what();
        BOOST_TEST(message.size() < 600u);
        BOOST_TEST((message.find('\n') == std::string_view::npos));
    }
}

BOOST_AUTO_TEST_SUITE_END()
