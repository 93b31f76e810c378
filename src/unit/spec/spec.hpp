#pragma once
// The content of hob.toml as plain data. Only load_config (unit/config/config.hpp) makes it, so every rule of
// hob.toml(5) holds for a config. Paths are absolute and defaults are filled in. The defaults stand here and,
// as text, in the table of keys (unit/config/keys.cpp); a test compares them.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lifecycle/settings.hpp"
#include "limits.hpp"
#include "unit/spec/cron.hpp"
#include "unit/spec/worker_protocol.hpp"
#include "util/time_zone/time_zone.hpp"

namespace hob::unit {

using std::chrono::milliseconds;

enum class unit_kind : std::uint8_t { worker, service, task };
enum class kill_scope : std::uint8_t { all, group, main, mixed };
enum class output_streams : std::uint8_t { split, merged };
enum class input_source : std::uint8_t { null, open };
enum class restart_policy : std::uint8_t { always, on_failure, never };
enum class ready_form : std::uint8_t { started, tcp, http, exec, log, notify, delay, unix_socket };
enum class catch_up_policy : std::uint8_t { once, none };
enum class overlap_policy : std::uint8_t { skip, queue, cancel };

// The words of hob.toml for the values of each, in their order. `started` is the form of a service without
// `ready`.
inline constexpr std::string_view unit_kind_words[] = {"worker", "service", "task"};
inline constexpr std::string_view kill_scope_words[] = {"all", "group", "main", "mixed"};
inline constexpr std::string_view output_streams_words[] = {"split", "merged"};
inline constexpr std::string_view input_source_words[] = {"null", "open"};
inline constexpr std::string_view restart_policy_words[] = {"always", "on-failure", "never"};
inline constexpr std::string_view ready_form_words[] = {"started", "tcp",    "http",  "exec",
                                                        "log",     "notify", "delay", "unix"};
inline constexpr std::string_view ready_owner_words[] = {"service", "any"};
inline constexpr std::string_view catch_up_policy_words[] = {"once", "none"};
inline constexpr std::string_view overlap_policy_words[] = {"skip", "queue", "cancel"};

std::string_view name_of(unit_kind kind);
std::string_view name_of(kill_scope scope);
std::string_view name_of(restart_policy policy);
std::string_view name_of(ready_form form);
std::string_view name_of(catch_up_policy policy);
std::string_view name_of(overlap_policy policy);

// A command. argv is directly executable; ARGS of `hob run NAME -- ARGS` are appended to it in every case. A
// `run` string has become {"/bin/sh", "-c", SCRIPT, NAME}, see unit/config/run_command.hpp.
struct run_spec {
    std::vector<std::string> argv;
    std::string text;                // for people: the string as written, or the array quoted for a shell
    bool ignores_arguments = false;  // a script that uses none of its positional parameters
    bool operator==(const run_spec&) const = default;
};

struct stop_spec {
    int signal = SIGTERM;
    milliseconds timeout = limits::stop_timeout;  // from the signal to SIGKILL; 0: SIGKILL at once
    std::optional<run_spec> run;  // instead of the signal, which is sent only when this command fails
    bool operator==(const stop_spec&) const = default;
};

// The address of a worker that listens on a port. Exactly one of port, written and log_pattern is set.
struct connect_spec {
    std::string host;  // a numeric address (no brackets) or "localhost"
    std::uint16_t port = 0;
    std::string written;                             // the address with ${NAME}, expanded at each start
    std::string log_pattern;                         // regular expression; its first group is the address
    milliseconds timeout = limits::connect_timeout;  // from the start to the connection
    bool operator==(const connect_spec&) const = default;
};

// Where an answer of a worker that speaks lines ends.
enum class answer_form { line, until, quiet };

struct answer_spec {
    answer_form form = answer_form::line;
    std::string until;      // until: regular expression, searched in each line, also an unfinished one
    milliseconds quiet{0};  // quiet: the silence after it
    bool operator==(const answer_spec&) const = default;
};

struct worker_spec {
    const worker_protocol* protocol = &jsonrpc_protocol;
    std::string initialize_json = "{}";        // a JSON object, merged into the handshake's params
    std::optional<milliseconds> idle_timeout;  // of the worker itself
    milliseconds call_timeout = limits::call_timeout;
    milliseconds call_limit = limits::call_limit;              // of a call whose call_timeout progress renews
    std::vector<std::pair<std::string, std::string>> answers;  // to requests of the worker: method, raw JSON
    std::string settings_json = "{}";  // a JSON object: what lsp servers get for workspace/configuration
    // Patterns of file names, and language ids of the documents that match them; in file order.
    std::vector<std::pair<std::string, std::string>> language_ids = {};
    // Patterns of the files that are the server's; empty: those of the languages that it speaks.
    std::vector<std::string> files = {};
    std::vector<std::string> serial;      // methods whose calls wait for each other
    std::optional<connect_spec> connect;  // nullopt: on its standard input and output
    answer_spec answer = {};              // lines only
    bool operator==(const worker_spec&) const = default;
};

// When a service counts as ready. Only the members that `form` uses have a meaning.
struct ready_spec {
    ready_form form = ready_form::started;
    std::string host;           // tcp: a numeric address (no brackets) or "localhost"
    std::uint16_t port = 0;     // tcp
    std::string path;           // unix: absolute
    std::string written;        // instead of these and `url`: the value with ${NAME}, expanded at each start
    std::string url;            // http: "http://HOST[:PORT][/PATH]", HOST as above
    std::optional<int> status;  // http: exactly this one; nullopt: 200 to 399
    std::optional<run_spec> exec;  // exec: ready when it exits with 0
    std::string log_pattern;       // log: regular expression, searched in each line
    bool any_owner = false;        // tcp, unix, http: the port may belong to a process outside the service
    milliseconds delay{0};         // delay: after the start
    milliseconds timeout = std::chrono::seconds(20);  // not ready by then: the start has failed
    bool operator==(const ready_spec&) const = default;
};

struct backoff_spec {
    milliseconds min = std::chrono::milliseconds(200);
    milliseconds max = std::chrono::seconds(30);
    milliseconds reset = std::chrono::seconds(60);  // up for this long: the next delay is min again
    bool operator==(const backoff_spec&) const = default;
};

// How a ready service is probed from then on.
struct health_spec {
    ready_spec probe;  // one of tcp, unix, http and exec; its `delay` and `timeout` have no meaning
    milliseconds every = std::chrono::seconds(10);   // from the end of one probe to the next
    milliseconds timeout = std::chrono::seconds(5);  // of one probe
    int failures = 3;                                // so many in a row: the service has failed
    bool operator==(const health_spec&) const = default;
};

// Files whose changes run a task or restart a service.
struct watch_spec {
    std::vector<std::string> patterns;  // globs as written, relative to the root; empty: none is watched
    std::vector<std::string> ignore;    // likewise
    bool gitignore = true;
    milliseconds debounce = std::chrono::milliseconds(100);
    bool operator==(const watch_spec&) const = default;
};

// What all processes of a unit may use together.
struct resource_spec {
    std::uint64_t memory_max = 0;  // bytes; 0: no limit
    int pids_max = 0;              // processes and threads; 0: no limit
    int cpu_weight = 100;          // the share of a unit beside others that also want the CPU
    bool operator==(const resource_spec&) const = default;
};

struct service_spec {
    ready_spec ready;
    std::optional<health_spec> health;
    restart_policy restart = restart_policy::on_failure;
    int max_restarts = 0;  // 0: no limit
    backoff_spec backoff;
    bool autostart = false;
    std::optional<milliseconds> watchdog;  // longer without WATCHDOG=1: it is stopped, and has failed
    bool operator==(const service_spec&) const = default;
};

struct retry_spec {
    int max = 0;
    milliseconds delay = std::chrono::seconds(10);
    bool operator==(const retry_spec&) const = default;
};

// How much of a unit's history is remembered. What goes beyond one of these is forgotten, the oldest first.
struct keep_spec {
    int runs = 200;                     // 0: no limit
    std::optional<milliseconds> age;    // since a run has ended
    std::optional<std::uint64_t> size;  // bytes of output; also the size of all log files of the unit
    bool operator==(const keep_spec&) const = default;
};

struct task_spec {
    std::optional<milliseconds> every;  // at most one of every and cron
    std::optional<cron_spec> cron;
    std::optional<util::time_zone> time_zone;  // of cron; nullopt: the machine's
    bool on_start = false;
    milliseconds jitter{0};
    catch_up_policy catch_up = catch_up_policy::once;
    overlap_policy overlap = overlap_policy::skip;
    std::optional<milliseconds> timeout;
    retry_spec retry;
    bool operator==(const task_spec&) const = default;
};

using variable_list = std::vector<std::pair<std::string, std::string>>;  // in file order, as written

using port_list = std::vector<std::pair<std::string, std::uint16_t>>;  // names of variables, in file order

struct env_file_spec {
    std::string path;                 // absolute
    bool required = true;             // false: it may be missing
    std::optional<std::string> text;  // as it was read with hob.toml; nullopt: it could not be
    bool operator==(const env_file_spec&) const = default;
};

struct unit_spec {
    std::string name;
    unit_kind kind = unit_kind::worker;
    run_spec run;
    bool enabled = true;  // false: only a request that names it starts it
    std::vector<std::string> groups;
    variable_list shared_env;  // [env] of hob.toml, the same for every unit
    variable_list file_env;    // [env] of the included file that has the unit
    std::vector<env_file_spec> env_files;
    variable_list env;
    std::string cwd;  // absolute
    stop_spec stop;
    kill_scope kill = kill_scope::all;
    output_streams output = output_streams::split;  // merged: stdout and stderr are one pipe
    bool tty = false;                               // a pseudo-terminal instead of pipes
    input_source input = input_source::null;        // open: a pipe that nobody closes
    std::vector<std::string> after;                 // names of units in the same config; without cycles
    std::vector<std::string> restart_with;          // those of `after` whose new readiness restarts the unit
    watch_spec watch;                               // of services and tasks
    resource_spec resources;
    std::optional<run_spec> on_failure;
    keep_spec keep;                                             // of services and tasks
    std::variant<worker_spec, service_spec, task_spec> detail;  // the alternative of `kind`
    bool operator==(const unit_spec&) const = default;
};

// A file that `include` names.
struct included_file {
    std::string prefix;     // its unit NAME is the unit PREFIX.NAME
    std::string directory;  // absolute, real
};

struct source_file {
    std::string path;                 // absolute
    std::optional<std::string> hash;  // as source_hash; nullopt: there was no such file
};

struct config {
    lifecycle::daemon_settings daemon;
    lifecycle::log_settings log;
    variable_list env;             // [env]
    port_list ports;               // [ports]: the preferred ones
    std::vector<unit_spec> units;  // in file order
    std::string source_path;       // absolute; empty: there is no file
    std::string source_hash;       // hex SHA-256 of the file's bytes; empty: there is no file
    std::vector<included_file> included;
    std::vector<source_file> further;   // hob.local.toml, and what `include` names
    std::vector<std::string> warnings;  // "FILE:LINE:COLUMN: text", in file order

    const unit_spec* find(std::string_view name) const;  // nullptr: no such unit
};

}  // namespace hob::unit
