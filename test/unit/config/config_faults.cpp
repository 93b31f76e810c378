// What is wrong with the structure of a hob.toml: syntax, keys, names, readiness and dependencies.
#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/config_faults.hpp"

using namespace hob;
using test::expect;
using test::service;
using test::task;
using test::worker;

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
    BOOST_CHECK_THROW(unit::parse_config("a = " + std::string(500'000, '['), "/p/hob.toml"), failure);
    BOOST_CHECK_THROW(unit::parse_config("a = " + std::string(500'000, '{'), "/p/hob.toml"), failure);
    std::string nested = "a = ";
    for (int i = 0; i < 10'000; ++i)
        nested += "{ a.a.a.a.a.a.a.a = ";
    BOOST_CHECK_THROW(unit::parse_config(nested, "/p/hob.toml"), failure);
}

BOOST_AUTO_TEST_CASE(unknown_keys) {
    expect({
        {"[daemon]\n  shutdwn_timeout = \"1s\"\n", "2:3", "unknown key 'shutdwn_timeout' in [daemon]",
         "did you mean 'shutdown_timeout'?"},
        {"[workers.x]\nrun = \"x\"\n", "1:2", "unknown key 'workers' in the file",
         "each is a table of its own: [worker.NAME]"},
        {"verbose = true\n", "1:1", "unknown key 'verbose' in the file", ""},
        {"[log]\nlevle = \"info\"\n", "2:1", "unknown key 'levle' in [log]", "did you mean 'level'?"},
        {worker("restart = \"always\"\n"), "3:1", "unknown key 'restart' in [worker.w]",
         "only a service has it: [service.NAME]"},
        {worker("output = \"merged\"\n"), "3:1", "unknown key 'output' in [worker.w]",
         "only a service or a task has it: [service.NAME], [task.NAME]"},
        {task("stdin = \"open\"\n"), "3:1", "unknown key 'stdin' in [task.t]",
         "only a service has it: [service.NAME]"},
        {service("terminal = true\n"), "3:1", "unknown key 'terminal' in [service.s]", "did you mean 'tty'?"},
        {service("serial = [\"a\"]\n"), "3:1", "unknown key 'serial' in [service.s]",
         "only a worker has it: [worker.NAME]"},
        {task("answers = {}\nsettings = {}\n"), "3:1", "unknown key 'answers' in [task.t]",
         "only a worker has it: [worker.NAME]"},
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

BOOST_AUTO_TEST_CASE(terminals_and_inputs) {
    const std::string hint = "a terminal is its input and the one stream of its output";
    expect({
        {service("tty = true\nstdin = \"open\"\n"), "4:9", "'stdin' in [service.s] does not go with 'tty'",
         hint},
        {service("stdin = \"null\"\ntty = true\n"), "3:9", "'stdin' in [service.s] does not go with 'tty'",
         hint},
        {service("tty = true\noutput = \"merged\"\n"), "4:10",
         "'output' in [service.s] does not go with 'tty'", hint},
        {service("tty = \"yes\"\n"), "3:7", "'tty' in [service.s] must be true or false, not a string", ""},
        {service("stdin = true\n"), "3:9",
         "'stdin' in [service.s] must be a string, such as \"null\", not true or false", ""},
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

BOOST_AUTO_TEST_CASE(health) {
    const std::string hint = "one of http = \"http://…\", tcp = PORT, unix = \"PATH\", exec = COMMAND";
    expect({
        {service("health = {}\n"), "3:10", "'health' in [service.s] does not say how the service is probed",
         hint},
        {service("health = { every = \"1s\" }\n"), "3:10",
         "'health' in [service.s] does not say how the service is probed", hint},
        {service("health = { tcp = 80, exec = \"x\" }\n"), "3:22",
         "[service.s.health] has both 'tcp' and 'exec'", hint},
        {service("health = { exec = \"x\", owner = \"any\" }\n"), "3:32",
         "'owner' in [service.s.health] needs tcp, unix or http", "it says whose port or socket that may be"},
        {service("health = { tcp = 80, failures = 0 }\n"), "3:33",
         "'failures' in [service.s.health] must be from 1 to 1000000, not 0", ""},
    });
}

BOOST_AUTO_TEST_CASE(readiness) {
    const std::string hint =
        "one of tcp = PORT, unix = \"PATH\", http = \"http://…\", exec = COMMAND, log = \"pattern\", notify "
        "= true, delay = "
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
         "'owner' in [service.s.ready] needs tcp, unix or http", "it says whose port or socket that may be"},
        {service("ready = { http = { url = \"http://localhost\", status = 20 } }\n"), "3:55",
         "'status' in [service.s.ready.http] must be from 100 to 599, not 20", ""},
        {service("ready = { exec = [] }\n"), "3:18", "'exec' in [service.s.ready] is empty", ""},
        {service("ready = { log = \"a(\" }\n"), "3:17",
         "'log' in [service.s.ready] is not a regular expression: missing ): a(: 'a('", ""},
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

BOOST_AUTO_TEST_CASE(how_much_is_remembered) {
    expect({
        {task("keep = 0\n"), "3:8", "'keep' in [task.t] must be from 1 to 1000000, not 0", ""},
        {service("keep = \"30d\"\n"), "3:8",
         "'keep' in [service.s] must be a number or { runs = 200, age = \"30d\", size = \"100MiB\" }, not a "
         "string",
         ""},
        {task("keep = {}\n"), "3:8", "'keep' in [task.t] says nothing", "at least one of runs, age and size"},
        {task("keep = { aeg = \"30d\" }\n"), "3:10", "unknown key 'aeg' in [task.t.keep]",
         "did you mean 'age'?"},
        {task("keep = { runs = 0 }\n"), "3:17", "'runs' in [task.t.keep] must be from 1 to 1000000, not 0",
         ""},
        {task("keep = { size = \"1KiB\" }\n"), "3:17",
         "'size' in [task.t.keep] must be at least 64KiB, not '1KiB'", ""},
        {service("memory_max = 512\n"), "3:14",
         "'memory_max' in [service.s] must be a size, such as \"10MiB\", not an integer", ""},
        {worker("memory_max = \"64KiB\"\n"), "3:14",
         "'memory_max' in [worker.w] must be at least 1MiB, not '64KiB'", ""},
        {task("mem_limit = \"1GiB\"\n"), "3:1", "unknown key 'mem_limit' in [task.t]",
         "did you mean 'memory_max'?"},
        {task("tty = true\n"), "3:1", "unknown key 'tty' in [task.t]",
         "a run has the terminal that it is called from: hob run --tty NAME"},
        {service("cpus = 2\n"), "3:1", "unknown key 'cpus' in [service.s]",
         "the key is cpu_weight: the share of the CPU beside other units"},
        {service("pids_max = 0\n"), "3:12", "'pids_max' in [service.s] must be from 1 to 4194304, not 0", ""},
        {service("cpu_weight = 10001\n"), "3:14",
         "'cpu_weight' in [service.s] must be from 1 to 10000, not 10001", ""},
        {worker("keep = 5\n"), "3:1", "unknown key 'keep' in [worker.w]",
         "only a service or a task has it: [service.NAME], [task.NAME]"},
        {task("cron = \"@daily\"\ntime_zone = \"Berlin\"\n"), "4:13",
         "'time_zone' in [task.t] ('Berlin') is not a time zone", "did you mean 'Europe/Berlin'?"},
        {task("timezone = \"UTC\"\n"), "3:1", "unknown key 'timezone' in [task.t]",
         "did you mean 'time_zone'?"},
    });
}

BOOST_AUTO_TEST_CASE(the_first_fault_by_position_is_reported) {
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
        unit::parse_config("[log]\nformat = \"\"\"\n" + endless + "\n" + endless + "\"\"\"", "/p/hob.toml");
        BOOST_ERROR("accepted");
    } catch (const failure& error) {
        const std::string_view message = error.what();
        BOOST_TEST(message.size() < 600u);
        BOOST_TEST((message.find('\n') == std::string_view::npos));
    }
}

BOOST_AUTO_TEST_CASE(the_schema_refuses_these_files_where_a_schema_can) {
    test::judge().judge(
        69, {"is taken by the",            // names are unique over all kinds of units
             "cannot be started after",    // `after`: itself
             "unknown unit '",             // `after`: a name that no unit has
             "units wait for each other",  // `after`: a cycle
             "is not a regular expression",
             "is not a time zone",                                  // depends on the machine
             "must be at least 64KiB",                              // a size is text
             "must be at least 1MiB", "needs tcp, unix or http"});  // `ready.owner`: beside which other key
}

BOOST_AUTO_TEST_SUITE_END()
