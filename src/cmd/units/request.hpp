#pragma once
// Common to start, stop and restart: units by name, the caller's environment, the units' status as reply.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

// Sends one request `method`, to `verb` the units of the operands, with this process's environment, and
// prints the reply; on a terminal also the units' progress. Prints the last lines of the log of a unit that
// fails. The only limits are --timeout and those of the units.
exit_code request_units(invocation& call, std::string_view verb, std::string_view method);

// The params of such a request: the operands, which are resolved, and this process's environment.
// `exit_with`: of unit.up, or empty.
std::string params_of_units(invocation& call, const std::string& exit_with);

// Adds "env" or "env_b64", the environment of this process.
void add_own_environment(util::json_object& params);

// The names of all services. Throws failure(unit_failed, `cannot VERB 'every service': …`) when there is
// none.
std::vector<std::string> all_service_names(const handler_context context, const char* verb, const char* hint);

std::vector<std::string> all_unit_names(handler_context context);

// Every service. Where there is none, the tasks with a trigger: the request lets them run. Throws as above.
std::vector<std::string> services_or_triggered(handler_context context, const char* verb);

// By it a daemon knows that a service has ended since an earlier one was asked.
struct up_mark {
    std::int64_t ends = 0;    // see registry::ends_of()
    std::int64_t keeper = 0;  // the pid of what held its process; 0: nothing
};

struct unit_request {
    std::vector<std::string> units;
    std::optional<std::vector<std::string>> environment;  // K=V
    std::string directory;  // as if it was given there; empty: where the client is
    bool hold = true;       // of a stop: they stay stopped
    bool now = false;       // of a stop: SIGKILL
    std::string exit_with;  // of unit.up: a unit; empty: none
    std::string token;      // with it: by which the next daemon knows the run of a task
    // Of a restart: when the client first asked for it, in milliseconds of CLOCK_BOOTTIME. Absent: now.
    std::optional<std::int64_t> asked_at;
    bool resume = false;          // of unit.up: follow what a daemon before this one has started
    std::optional<up_mark> mark;  // with it: of exit_with, as the first daemon told it
};

// Replaces groups, patterns and the bare names of an included file by the names of units, for what is shown
// of them. The daemon does the same, and refuses what stays.
void resolve_operands(invocation& call);

// Adds "cwd" if -C chose a directory.
void add_directory(util::json_object& params, const invocation& call);

// Throws failure(usage) when the params are not
// {"units":[…],"env":[…]?,"cwd":DIR?,"hold":BOOL?,"now":BOOL?,"exit_with":UNIT?,"resume":BOOL?,
// "ends":N?,"keeper":PID?,"asked_at":MS?,"token":TEXT?}.
unit_request parse_unit_request(std::string_view params);

// "env" or "env_b64" of the params; nullopt: neither is there. Throws failure(usage).
std::optional<std::vector<std::string>> parse_environment(std::string_view params);

// {"units":[<status>…]} of these units; of all units when `units` is empty. With "config_state" unless it is
// current.
// With "by_itself" unless `by_themselves` is empty.
std::string unit_reply(handler_context context, const std::vector<std::string>& units,
                       const std::vector<std::string>& by_themselves = {});

// Prints a line with "by_itself" of the reply: what will start by itself from now on.
void print_by_itself(const invocation& call, std::string_view reply);

}  // namespace hob::cmd
