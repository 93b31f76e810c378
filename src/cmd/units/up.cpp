#include <unistd.h>

#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "cmd/units/up_client.hpp"
#include "cmd/units/up_foreground.hpp"
#include "cmd/units/up_methods.hpp"
#include "error.hpp"
#include "lifecycle/start_keeper.hpp"

namespace hob::cmd {
namespace {

void check_up(const invocation& call) {
    if (call.has("detach") && call.has("exit-with"))
        throw failure(error_kind::usage, cannot("use", "--exit-with", "with '--detach'"),
                      "a detached start waits for no end");
}

exit_code follow(invocation& call, const std::string& params, const std::string& exit_with) {
    // The daemons after the first one are children of process 1.
    const bool is_daemon = ::getpid() == 1 || lifecycle::is_started_by_keeper();
    return is_daemon ? up_in_foreground(call, params, exit_with) : follow_up(call, params, exit_with);
}

exit_code run_up(invocation& call) {
    if (call.has("detach")) return request_units(call, "start", "unit.start");
    const std::string exit_with = call.value("exit-with").value_or("");
    const std::string params = params_of_units(call, exit_with);
    if (exit_with.empty()) return follow(call, params, exit_with);
    try {
        return follow(call, params, exit_with);
    } catch (const failure& why) {
        print_failure(why, call.global.json);
        return exit_code::run_failed;
    }
}

constexpr option_row options[] = {
    {"detach,d", "", "return once the units are ready: as `hob start`"},
    {"exit-with", "UNIT", "end with the first end of this service or task, and with its status"},
};

constexpr method_row methods[] = {{.name = "unit.up", .async_handler = answer_up}};

}  // namespace

extern constinit const command up_command{
    .name = "up",
    .summary = "start units and follow what they print",
    .usage = "[UNIT...]",
    .description =
        "Starts these units, or every service, and shows what they print until all have\n"
        "ended; then exits with 1 if one has failed. Ctrl-C stops what it started; a\n"
        "second one kills. When the terminal is closed the units stay up. As process 1,\n"
        "in a container, it is the daemon itself.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .check = check_up,
    .run = run_up,
    .methods = methods,
};

}  // namespace hob::cmd
