// Values of hob.toml that have the wrong type or are out of range.
#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/config_faults.hpp"

using namespace hob;
using test::service;
using test::task;
using test::worker;

namespace {

test::schema_judge judge;

void expect(const std::vector<test::fault>& faults) { test::expect(faults, judge); }

const std::string duration_hint =
    "a duration is a number and its unit: \"250ms\", \"5s\", \"10m\", \"2h\", \"1d\", \"1m30s\"";
const std::string connect_hint = "one of tcp = PORT, tcp = \"ADDRESS:PORT\", log = \"listening on (.+)\"";

}  // namespace

BOOST_AUTO_TEST_SUITE(config_value_faults)

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
         "put it in quotes"},
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
         "'protocol' in [worker.w] must be a string, such as \"dap\", not an integer", ""},
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
        {"[log]\nlevel = \"loud\"\n", "2:9",
         "'level' in [log] is not usable: unknown level 'loud' (one of off trace debug info warning error "
         "fatal)",
         ""},
        {"[daemon]\nidle_timeout = \"1.0001s\"\n", "2:16",
         "'idle_timeout' in [daemon] is not a duration: '1.0001s'", duration_hint},
        {worker("connect = { log = \"port [0-9]+\" }\n"), "3:19",
         "'log' in [worker.w.connect] has no group for the address: 'port [0-9]+'",
         "\"listening on ([^ ]+)\""},
        {worker("connect = { tcp = 1, log = \"(.)\" }\n"), "3:11",
         "'connect' in [worker.w] has both 'tcp' and 'log'", connect_hint},
        {worker("connect = { timeout = \"1s\" }\n"), "3:11",
         "'connect' in [worker.w] does not say where the worker listens", connect_hint},
        {worker("kill = \"grop\"\n"), "3:8",
         "'kill' in [worker.w] must be one of all group main mixed, not 'grop'", "did you mean 'group'?"},
        {worker("protocol = \"json-rpc\"\n"), "3:12",
         "'protocol' in [worker.w] must be one of dap jsonrpc lines lsp mcp, not 'json-rpc'",
         "did you mean 'jsonrpc'?"},
        {worker("protocol = \"lines\"\ninitialize = { a = 1 }\n"), "4:14",
         "'initialize' in [worker.w] has no effect: protocol 'lines' has no handshake",
         "protocols with a handshake: dap lsp mcp"},
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
         "'settings' in [worker.w] has no effect: protocol 'mcp' has no settings",
         "protocols with settings: lsp"},
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
        {worker("env = { HOB_UID = \"0\" }\n"), "3:9", "'HOB_UID' in [worker.w.env] is set by hob itself", ""},
        {worker("env = { HOB_ANY = \"0\" }\n"), "3:9", "'HOB_ANY' in [worker.w.env] is set by hob itself", ""},
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
        {task("cron = \"0 24 * * *\"\n"), "3:8",
         "'cron' in [task.t] ('0 24 * * *'): the hour must be from 0 to 23, not 24", ""},
        {task("cron = \"0 0 * * mun\"\n"), "3:8",
         "'cron' in [task.t] ('0 0 * * mun'): 'mun' is no day of the week", "did you mean 'sun'?"},
        {task("cron = \"0 0 30 2 *\"\n"), "3:8",
         "'cron' in [task.t] ('0 0 30 2 *'): names a day that never comes", ""},
        {task("cron = \"@dayly\"\n"), "3:8", "'cron' in [task.t] ('@dayly'): '@dayly' is no time",
         "did you mean '@daily'?"},
        {task("cron = \"* * * *\"\n"), "3:8", "'cron' in [task.t] ('* * * *'): has 4 fields, not five",
         "minute, hour, day of the month, month, day of the week: \"*/5 * * * *\""},
        {task("catch_up = \"on\"\n"), "3:12", "'catch_up' in [task.t] must be one of once none, not 'on'",
         ""},
        {task("overlap = \"skipp\"\n"), "3:11",
         "'overlap' in [task.t] must be one of skip queue cancel, not 'skipp'", "did you mean 'skip'?"},
        {task("keep = 0\n"), "3:8", "'keep' in [task.t] must be from 1 to 1000000, not 0", ""},
        {task("watch = [\"src/[ab.c\"]\n"), "3:10",
         "'watch' in [task.t] has a pattern with an open '[': 'src/[ab.c'", ""},
    });
}

BOOST_AUTO_TEST_CASE(the_schema_refuses_these_files_where_a_schema_can) {
    judge.judge(90, {
                        // Relations between values.
                        "longer than its max",
                        "must be shorter than",
                        // The amount of a duration or a size, which is a string.
                        "must be at most",
                        "must be at least 4KiB",
                        "is not a duration: '1.0001s'",  // not whole milliseconds
                                                         // Languages of their own: levels of the log, regular
                                                         // expressions, cron.
                        "is not usable: ",
                        "has no group for the address",
                        "the minute must be from 0 to 59",
                        "the hour must be from 0 to 23",
                        "'mun' is no day of the week",
                        "names a day that never comes",
                        "'@dayly' is no time",
                        // Lost on the way from TOML to JSON: 1.0 becomes 1, and inf and nan do not exist.
                        "not a number with a fraction",
                        "a number that JSON does not have",
                    });
}

BOOST_AUTO_TEST_SUITE_END()
