#include "unit/config/words_elsewhere.hpp"

namespace hob::unit {
namespace {

struct word_row {
    unsigned tables;
    std::string_view word;
    std::string_view hint;
};

// compose.yaml, process-compose, mise, systemd, package.json.
constexpr word_row words[] = {
    {in_units, "ports", "ports stand in a table of their own, for all units: [ports] WEB_PORT = 8080"},
    {in_units, "port", "ports stand in a table of their own, for all units: [ports] WEB_PORT = 8080"},
    {in_units, "expose", "ports stand in a table of their own, for all units: [ports] WEB_PORT = 8080"},
    {in_units, "image", "hob runs programs: run = \"docker run --rm IMAGE\" runs a container"},
    {in_units, "build", "hob runs programs: a task can build, and 'after' waits for it"},
    {in_units, "volumes", "a program sees the files of this machine; 'cwd' is its directory"},
    {in_units, "network_mode", "a program has the network of this machine"},
    {in_units, "networks", "a program has the network of this machine"},
    {in_units, "container_name", "the name of a unit is that of its table"},
    {in_units, "entrypoint", "the command is 'run'"},
    {in_units, "replicas", "a unit is one process; write a unit for each"},
    {in_units, "deploy", "a unit is one process; write a unit for each"},
    {in_units, "availability", "these are keys of a service: restart, backoff, max_restarts"},
    {in_units, "shutdown", "the key is stop = { signal = \"TERM\", timeout = \"5s\" }"},
    {in_units, "stop_signal", "the key is stop = { signal = \"TERM\" }"},
    {in_units, "stop_grace_period", "the key is stop = { timeout = \"5s\" }"},
    {in_units, "is_daemon", "a service runs in the foreground; hob keeps it in the background"},
    {in_units, "log_location", "hob keeps the output: hob logs NAME"},
    {in_units, "logging", "hob keeps the output: hob logs NAME; [log] says how much of it"},
    {in_units, "user", "a unit runs as the user of its daemon"},
    {in_units, "namespace", "the key is groups = [\"NAME\"]"},
    {in_units, "before", "the other unit says it: after = [\"THIS ONE\"]"},
    {in_units, "required_by", "the other unit says it: after = [\"THIS ONE\"]"},
    {in_units, "wantedBy", "the key is autostart = true, for a service"},
    {in_units, "liveness_probe", "the key is health = { http = \"http://localhost:8080/\" }"},
    {in_units, "readiness_probe", "the key is ready = { http = \"http://localhost:8080/\" }"},
    {in_units, "cpus", "the key is cpu_weight: the share of the CPU beside other units"},
    {in_units, "cpu_limit", "the key is cpu_weight: the share of the CPU beside other units"},
    {in_task, "tty", "a run has the terminal that it is called from: hob run --tty NAME"},
    {in_file, "services", "each is a table of its own: [service.NAME]"},
    {in_file, "processes", "each is a table of its own: [service.NAME] or [task.NAME]"},
    {in_file, "tasks", "each is a table of its own: [task.NAME]"},
    {in_file, "workers", "each is a table of its own: [worker.NAME]"},
    {in_file, "scripts", "each is a table of its own: [task.NAME]"},
    {in_file, "vars", "variables for all units are [env] NAME = \"value\""},
    {in_file, "env_file", "a unit has it: [service.NAME] env_file = \".env\""},
    {in_file, "includes", "the key is include = { web = \"apps/web/units.toml\" }"},
    {in_file, "extends", "the key is include = { web = \"apps/web/units.toml\" }"},
};

}  // namespace

std::string said_otherwise(std::string_view word, key_scope scope) {
    if (!scope.prefix.empty()) return {};
    for (const auto& row : words) {
        if ((row.tables & scope.table) != 0 && row.word == word) return std::string(row.hint);
    }
    return {};
}

}  // namespace hob::unit
