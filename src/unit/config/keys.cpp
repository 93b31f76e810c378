#include "unit/config/keys.hpp"

#include <cstdint>

#include "limits.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/key_rows.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view answer_words[] = {"line"};
constexpr std::string_view log_formats[] = {"json", "text"};

constexpr auto required = key_presence::required;
constexpr auto alternative = key_presence::alternative;
constexpr auto exclusive = key_presence::exclusive;

constexpr std::int64_t shutdown_ms_max = limits::shutdown_timeout_max.count();
constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t log_size_min = 4u << 10;
constexpr std::int64_t log_files_max = 1000;

using enum value_type;

constexpr config_key keys[] = {
    custom(in_file, "daemon", table, "the table [daemon]: hob's own daemon", read_daemon_table)
        .such_as("[daemon]"),
    custom(in_file, "log", table, "the table [log]: the log files", read_log_table).such_as("[log]"),
    custom(in_file, "include", texts,
           "files whose units become units of this one, by the prefix of their names", read_include)
        .by_default("{}")
        .such_as("{ web = \"apps/web/units.toml\" }"),
    custom(in_file, "env", variable_table, "the table [env]: environment variables of every unit",
           read_shared_env)
        .by_default("{}")
        .such_as("{ NAME = \"value\" }")
        .also_called("environment"),
    custom(in_file, "ports", ports, "the table [ports]: ports that hob chooses, as variables of every unit",
           read_ports)
        .by_default("{}")
        .such_as("{ WEB_PORT = 8080 }"),
    custom(in_file, "worker", table, "the tables [worker.NAME]: units that answer requests", read_workers)
        .such_as("[worker.NAME]"),
    custom(in_file, "service", table, "the tables [service.NAME]: units that stay up", read_services)
        .such_as("[service.NAME]"),
    custom(in_file, "task", table, "the tables [task.NAME]: units that run and end", read_tasks)
        .such_as("[task.NAME]"),

    member<&lifecycle::daemon_settings::idle_timeout>(
        in_daemon, "idle_timeout",
        "the daemon exits after this time without a client, a running unit, and a scheduled or watching task")
        .without_it("the daemon stays")
        .such_as("\"30m\"")
        .at_least(1),
    custom(in_daemon, "shutdown_timeout", duration, "the longest time that a shutdown may take",
           read_shutdown_timeout)
        .by_default("\"10s\"")
        .at_least(1)
        .at_most(shutdown_ms_max),

    custom(in_log, "level", text, "the least severe messages to log, also for a channel: \"info,ipc=debug\"",
           read_log_level)
        .by_default("\"info\""),
    one_of<log_formats>(custom(in_log, "format", word, "how the daemon's log is written", read_log_format))
        .by_default("\"json\""),
    member<&lifecycle::log_settings::max_size>(in_log, "max_size",
                                               "a log file that would grow beyond this size is rotated")
        .by_default("\"10MiB\"")
        .at_least(log_size_min),
    member<&lifecycle::log_settings::max_files>(in_log, "max_files",
                                                "the number of files to keep of each log")
        .by_default("5")
        .at_least(1)
        .at_most(log_files_max),
    member<&lifecycle::log_settings::syslog>(in_log, "syslog", "also send the daemon's messages to /dev/log")
        .by_default("false"),

    custom(in_units, "run", command, "the command to execute", read_run)
        .such_as("[\"program\", \"argument\"]")
        .also_called("args cmd command exec program script")
        .present(required),
    custom(in_units, "env", variable_table, "environment variables of the unit", read_env)
        .by_default("{}")
        .such_as("{ NAME = \"value\" }")
        .also_called("environment"),
    custom(in_units, "env_file", env_files, "files with environment variables, read with hob.toml",
           read_env_file)
        .such_as("\".env\"")
        .also_called("dotenv envfile"),
    custom(in_units, "cwd", path, "the directory to run in", read_cwd)
        .without_it("the root of the project")
        .such_as("\"server\"")
        .also_called("dir directory workdir working_directory"),
    custom(in_units, "stop", table, "how hob stops the unit", read_inner_table)
        .such_as("{ signal = \"TERM\", timeout = \"5s\" }"),
    custom(in_units, "stop.signal", signal, "the signal that asks the unit to end", read_stop_signal)
        .by_default("\"TERM\""),
    custom(in_units, "stop.run", command, "the command that ends the unit, instead of the signal",
           read_stop_run)
        .such_as("\"pg_ctl stop -D data\""),
    custom(in_units, "stop.timeout", duration, "the time from that signal to SIGKILL", read_stop_timeout)
        .by_default("\"5s\""),
    one_of<kill_scope_words>(member<&unit_spec::kill>(in_task, "kill", "which processes a stop ends"))
        .by_default("\"group\""),
    one_of<kill_scope_words>(member<&unit_spec::kill>(in_service, "kill", "which processes a stop ends"))
        .by_default("\"all\""),
    one_of<kill_scope_words>(member<&unit_spec::kill>(in_worker, "kill", "which processes a stop ends"))
        .without_it("\"group\" with protocol lsp, else \"all\"")
        .such_as("\"group\""),
    one_of<output_streams_words>(
        member<&unit_spec::output>(in_service, "output", "whether stdout and stderr are kept apart"))
        .by_default("\"split\""),
    one_of<output_streams_words>(
        member<&unit_spec::output>(in_task, "output", "whether stdout and stderr are kept apart"))
        .by_default("\"split\""),
    one_of<input_source_words>(
        member<&unit_spec::input>(in_service, "stdin", "what the standard input is: empty, or open for ever"))
        .by_default("\"null\"")
        .also_called("stdin_open open_stdin interactive"),
    custom(in_service, "tty", boolean, "run it on a terminal, which `hob attach` shows", read_tty)
        .by_default("false")
        .also_called("is_tty terminal pty"),
    member<&unit_spec::tty>(in_worker, "tty",
                            "its standard output is a terminal, for programs that else keep it in a buffer")
        .by_default("false"),
    custom(in_units, "after", units,
           "units that must be ready, and tasks that must have ended, before it starts", read_after)
        .by_default("[]")
        .such_as("[\"db\"]")
        .also_called("depends depends_on needs requires"),
    custom(in_units, "groups", strings, "names of groups that the unit is in: `hob start @NAME`", read_groups)
        .by_default("[]")
        .such_as("[\"front\"]")
        .also_called("group profiles tags"),
    member<&unit_spec::enabled>(in_units, "enabled", "false: the unit is left alone unless it is named")
        .by_default("true")
        .also_called("disabled"),
    memory_max_key(in_units),
    pids_max_key(in_units),
    cpu_weight_key(in_units),
    custom(in_units, "on_failure", command,
           "the command to run when a service or a task has failed and is not tried again", read_on_failure)
        .such_as("\"notify-send $HOB_UNIT\""),

    custom(in_worker, "protocol", word, "the protocol that the worker speaks", read_protocol)
        .with(&config_key::words, protocol_words)
        .by_default("\"jsonrpc\""),
    custom(in_worker, "initialize", any_table, "merged into the parameters of the protocol's handshake",
           read_initialize)
        .by_default("{}")
        .such_as("{ capabilities = { } }"),
    member<&worker_spec::idle_timeout>(
        in_worker, "idle_timeout",
        "the worker is stopped after this time without a call and without an attached editor")
        .without_it("the worker stays")
        .such_as("\"15m\"")
        .at_least(1),
    member<&worker_spec::call_timeout>(in_worker, "call_timeout",
                                       "how long a call waits for its answer, unless it has --timeout")
        .by_default("\"30s\"")
        .at_least(1),
    member<&worker_spec::call_limit>(in_worker, "call_limit",
                                     "how long a call of an mcp worker may last that reports progress")
        .by_default("\"10m\"")
        .at_least(1),
    custom(in_worker, "answers", any_table, "answers to requests that the worker itself sends, by method",
           read_answers)
        .by_default("{}")
        .such_as("{ \"workspace/applyEdit\" = { applied = false } }"),
    custom(in_worker, "settings", any_table,
           "the configuration that a language server gets when it asks for it", read_settings)
        .by_default("{}")
        .such_as("{ bashIde = { explainshellEndpoint = \"\" } }"),
    custom(in_worker, "files", patterns, "patterns of the files that a language server is for", read_files)
        .by_default("[]")
        .such_as("[\"*.ts\", \"*.tsx\"]"),
    custom(in_worker, "language_ids", texts, "the languages of documents, by a pattern of their file names",
           read_language_ids)
        .by_default("{}")
        .such_as("{ \"*.inc\" = \"php\" }"),
    one_of<answer_words>(
        custom(in_worker, "answer", word_or_table, "where an answer of a lines worker ends", read_answer))
        .by_default("\"line\""),
    custom(in_worker, "answer.until", regex,
           "at the line, or the unfinished line, in which this expression is found", read_answer_until)
        .such_as("\">>> $\"")
        .present(alternative),
    member<&answer_spec::quiet>(in_worker, "answer.quiet",
                                "when the worker has written nothing for this time")
        .such_as("\"50ms\"")
        .at_least(1)
        .present(alternative),
    member<&worker_spec::serial>(in_worker, "serial", "methods whose calls run one after the other")
        .by_default("[]")
        .such_as("[\"build\", \"test\"]"),
    custom(in_worker, "connect", table,
           "speak to the worker over TCP instead of its standard input and output", read_connect)
        .such_as("{ tcp = 4711 }"),
    custom(in_worker, "connect.tcp", port, "the port that the worker listens on", read_connect_tcp)
        .such_as("4711")
        .present(alternative),
    custom(
        in_worker, "connect.log", regex,
        "searched for in each line that the worker prints; its first group matches the port or the address",
        read_connect_log)
        .such_as("\"listening on ([^ ]+)\"")
        .present(alternative),
    member<&connect_spec::timeout>(in_worker, "connect.timeout",
                                   "the time from the start of the worker to the connection")
        .by_default("\"20s\"")
        .at_least(1),

    custom(in_service, "ready", table, "when the service counts as ready", read_ready)
        .without_it("a ready.delay of 100 ms")
        .such_as("{ tcp = 5432 }")
        .also_called("healthcheck readiness"),
    custom(in_service, "ready.tcp", port, "ready when the port accepts a connection", read_ready_tcp)
        .such_as("5432")
        .present(alternative),
    custom(in_service, "ready.unix", path, "ready when this Unix socket accepts a connection",
           read_ready_unix)
        .such_as("\"run/db.sock\"")
        .present(alternative),
    custom(in_service, "ready.http", url_or_table, "ready when a GET of this URL is answered",
           read_ready_http)
        .such_as("\"http://localhost:8080/\"")
        .present(alternative),
    custom(in_service, "ready.http.url", url, "the URL, in a table", read_ready_url)
        .such_as("\"http://localhost:8080/\"")
        .present(required),
    custom(in_service, "ready.http.status", integer, "the status to require", read_ready_status)
        .without_it("any from 200 to 399")
        .such_as("200")
        .at_least(100)
        .at_most(599),
    custom(in_service, "ready.exec", command, "ready when this command exits with 0", read_ready_exec)
        .such_as("\"pg_isready -q\"")
        .present(alternative),
    custom(in_service, "ready.log", regex, "ready when a complete line of the output matches", read_ready_log)
        .such_as("\"listening on\"")
        .present(alternative),
    custom(in_service, "ready.notify", boolean, "ready when the service sends READY=1, as sd_notify(3) does",
           read_ready_notify)
        .such_as("true")
        .present(alternative),
    one_of<ready_owner_words>(
        custom(in_service, "ready.owner", word,
               "tcp, unix, http: whose port or socket it may be, the service's or any's", read_ready_owner))
        .by_default("\"service\""),
    member<&ready_spec::delay>(in_service, "ready.delay", "ready after this time")
        .such_as("\"1s\"")
        .present(alternative),
    member<&ready_spec::timeout>(
        in_service, "ready.timeout",
        "a service that is not ready after this time is stopped, and its start has failed")
        .by_default("\"20s\"")
        .at_least(1),
    one_of<restart_policy_words>(
        member<&service_spec::restart>(in_service, "restart",
                                       "when hob starts the service again after it ended"))
        .by_default("\"on-failure\"")
        .also_called("autorestart"),
    member<&service_spec::max_restarts>(in_service, "max_restarts",
                                        "give up after this number of restarts in a row; 0 is no limit")
        .by_default("0")
        .at_most(count_max),
    custom(in_service, "backoff", table, "the pause before a restart, which doubles from one to the next",
           read_backoff)
        .such_as("{ min = \"200ms\", max = \"30s\" }"),
    member<&backoff_spec::min>(in_service, "backoff.min", "the first pause")
        .by_default("\"200ms\"")
        .at_least(1),
    member<&backoff_spec::max>(in_service, "backoff.max", "the longest pause")
        .by_default("\"30s\"")
        .at_least(1),
    member<&backoff_spec::reset>(
        in_service, "backoff.reset",
        "after the service was ready for this time, the next pause is backoff.min again")
        .by_default("\"60s\""),
    member<&service_spec::autostart>(in_service, "autostart", "start the service when the daemon starts")
        .by_default("false"),
    member<&service_spec::watchdog>(
        in_service, "watchdog",
        "a ready service must send WATCHDOG=1 at least once in this time, or it has failed")
        .such_as("\"30s\"")
        .at_least(1),
    keep_itself(in_service, "how much to remember of its lives: a number of them, or a table"),
    keep_runs(in_service, "the number of lives to remember"),
    keep_age(in_service, "forget a life this time after its end"),
    keep_size(in_service,
              "forget lives whose output together is larger than this, and limit the log files to it"),

    watch_key(in_service, "patterns of files; a change of a matching file restarts the service"),
    ignore_key(in_service),
    gitignore_key(in_service),
    debounce_key(in_service, "restart when nothing has changed for this time"),

    custom(in_service, "health", table, "how a service that is ready is probed", read_health)
        .without_it("it is not probed")
        .such_as("{ http = \"http://localhost:8080/health\" }")
        .also_called("liveness"),
    custom(in_service, "health.tcp", port, "it is well when the port accepts a connection", read_ready_tcp)
        .such_as("5432")
        .present(alternative),
    custom(in_service, "health.unix", path, "it is well when this Unix socket accepts a connection",
           read_ready_unix)
        .such_as("\"run/db.sock\"")
        .present(alternative),
    custom(in_service, "health.http", url_or_table, "it is well when a GET of this URL is answered",
           read_ready_http)
        .such_as("\"http://localhost:8080/health\"")
        .present(alternative),
    custom(in_service, "health.http.url", url, "the URL, in a table", read_ready_url)
        .such_as("\"http://localhost:8080/health\"")
        .present(required),
    custom(in_service, "health.http.status", integer, "the status to require", read_ready_status)
        .without_it("any from 200 to 399")
        .such_as("200")
        .at_least(100)
        .at_most(599),
    custom(in_service, "health.exec", command, "it is well when this command exits with 0", read_ready_exec)
        .such_as("\"pg_isready -q\"")
        .present(alternative),
    one_of<ready_owner_words>(
        custom(in_service, "health.owner", word,
               "tcp, unix, http: whose port or socket it may be, the service's or any's", read_ready_owner))
        .by_default("\"service\""),
    member<&health_spec::every>(in_service, "health.every", "the pause between two probes")
        .by_default("\"10s\"")
        .at_least(1),
    member<&health_spec::timeout>(in_service, "health.timeout", "a probe that takes longer has failed")
        .by_default("\"5s\"")
        .at_least(1),
    member<&health_spec::failures>(in_service, "health.failures",
                                   "after this number of failed probes in a row the service has failed")
        .by_default("3")
        .at_least(1)
        .at_most(count_max),

    member<&task_spec::every>(in_task, "every", "run at this interval")
        .such_as("\"5m\"")
        .at_least(1)
        .also_called("interval")
        .present(exclusive),
    custom(in_task, "cron", cron, "run at the times of this cron expression", read_cron)
        .such_as("\"*/5 * * * *\"")
        .also_called("schedule")
        .present(exclusive),
    custom(in_task, "time_zone", time_zone, "the time zone of cron", read_time_zone)
        .without_it("the time zone of the machine")
        .such_as("\"Europe/Berlin\"")
        .also_called("timezone tz"),
    member<&task_spec::on_start>(in_task, "on_start", "also run when the daemon starts").by_default("false"),
    member<&task_spec::jitter>(in_task, "jitter",
                               "delay each scheduled run by a random time shorter than this")
        .by_default("\"0s\""),
    one_of<catch_up_policy_words>(
        member<&task_spec::catch_up>(
            in_task, "catch_up",
            "what happens after scheduled times passed while the machine slept or no daemon ran"))
        .by_default("\"once\""),
    one_of<overlap_policy_words>(
        member<&task_spec::overlap>(in_task, "overlap", "what a trigger does while the task is running"))
        .by_default("\"skip\""),
    member<&task_spec::timeout>(in_task, "timeout", "a run that takes longer is stopped, and it has failed")
        .such_as("\"10m\"")
        .at_least(1),
    custom(in_task, "retry", table, "repeat a run that failed", read_inner_table)
        .such_as("{ max = 3, delay = \"10s\" }")
        .also_called("retries"),
    member<&retry_spec::max>(in_task, "retry.max", "how often").by_default("0").at_most(count_max),
    member<&retry_spec::delay>(in_task, "retry.delay", "the pause before each repetition")
        .by_default("\"10s\""),
    keep_itself(in_task, "how much to remember: a number of runs, or a table"),
    keep_runs(in_task, "the number of runs to remember"),
    keep_age(in_task, "forget a run this time after its end"),
    keep_size(in_task,
              "forget runs whose output together is larger than this, and limit the log files to it"),
    watch_key(in_task, "patterns of files; a change of a matching file runs the task"),
    ignore_key(in_task),
    gitignore_key(in_task),
    debounce_key(in_task, "start the run when nothing has changed for this time"),
};

}  // namespace

std::span<const config_key> all_keys() { return keys; }

}  // namespace hob::unit
