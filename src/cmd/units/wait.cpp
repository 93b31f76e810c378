#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/history/run_end.hpp"
#include "cmd/units/request.hpp"
#include "cmd/units/unready.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/request.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

using wait_condition = unit::registry::wait_condition;

struct condition_name {
    std::string_view name;
    wait_condition condition;
};
constexpr std::array condition_names{condition_name{"ready", wait_condition::ready},
                                     condition_name{"stopped", wait_condition::stopped},
                                     condition_name{"idle", wait_condition::idle}};

std::optional<wait_condition> condition_named(std::string_view text) {
    for (const auto& row : condition_names) {
        if (row.name == text) return row.condition;
    }
    return std::nullopt;
}

// Exactly one of units and --run.
void check_wait(const invocation& call) {
    if (call.operands.empty() != call.has("run"))
        throw failure(error_kind::usage, cannot("wait"), "either units or --run ID are needed");
    if (call.has("run") && call.has("for"))
        throw failure(error_kind::usage, cannot("use", "--for", "with '--run'"),
                      "a run is waited for to its end");
}

std::int64_t run_id_of(const std::string& text) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc{} && end == text.data() + text.size() && id > 0) return id;
    throw failure(error_kind::usage, cannot("use", text, "for '--run'"), "not the number of a run",
                  "hob runs lists them");
}

exit_code run_wait_for_run(invocation& call) {
    const std::int64_t id = run_id_of(*call.value("run"));
    try {
        const std::string record = wait_for_run(call, id);
        if (call.global.json) print(record + "\n");
        return static_cast<exit_code>(exit_status_of_run(record));
    } catch (const failure& why) {
        print_failure(why, call.global.json);
        return exit_code::run_failed;
    }
}

exit_code run_wait(invocation& call) {
    if (call.has("run")) return run_wait_for_run(call);
    const std::string state = call.value("for").value_or("ready");
    if (!condition_named(state)) {
        throw failure(error_kind::usage, cannot("wait for", call.operands.front()),
                      fmt::format("'{}' is no state", state), "one of ready, stopped, idle");
    }
    resolve_operands(call);
    util::json_array names;
    for (const auto& name : call.operands)
        names.add(name);
    const std::string params = util::json_object().add("units", names).add("for", state).text();
    const auto began = std::chrono::system_clock::now();
    std::string result;
    try {
        result = lifecycle::request_acting(
            call.where(), connect_options_of(call),
            {.method = "unit.wait", .params = params, .again = params, .reply_limit = call.limit});
    } catch (const failure& why) {
        throw explain_unready(call, "wait for", why, began);
    }
    if (call.global.json) {
        print(result + "\n");
    } else if (!call.global.quiet) {
        for (const auto& view : read_units(result))
            print(unit_line(view));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_wait(handler_context context, std::shared_ptr<ipc::session> by,
                                                ipc::request request) {
    std::vector<std::string> units;
    std::optional<std::string> state;
    for (const auto& member :
         util::json_object_members(request.params).value_or(std::vector<util::json_member>())) {
        if (member.key == "unit") units = {util::json_unquote(member.value).value_or("")};
        if (member.key == "units") units = parse_unit_request(request.params).units;
        if (member.key == "for") state = util::json_unquote(member.value);
    }
    const auto condition = state ? condition_named(*state) : std::nullopt;
    if (units.empty() || !condition) {
        throw failure(error_kind::usage, cannot("read", {}, "the params"),
                      "they are not {\"units\":[NAME...],\"for\":\"ready\"|\"stopped\"|\"idle\"}");
    }
    units = context.units.names_for("wait for", units, by->peer_pid());
    if (*condition == unit::registry::wait_condition::ready)
        context.units.refuse_deadlock("wait for", units, by->peer_pid());
    for (const auto& unit : units)
        co_await context.units.registry().wait(unit, *condition);
    co_return unit_reply(context, units);
}

constexpr option_row options[] = {
    {"for", "STATE", "ready (the default), stopped or idle", "ready stopped idle"},
    {"run", "ID", "wait for the end of this run and exit with its status"}};
constexpr method_row methods[] = {{.name = "unit.wait", .async_handler = answer_wait}};

}  // namespace

extern constinit const command wait_command{
    .name = "wait",
    .summary = "wait until units are ready, stopped or idle, or a run has ended",
    .usage = "[UNIT...]",
    .description =
        "Returns when the units are ready, stopped or idle. It starts nothing; `hob\n"
        "start` does. With --for ready it fails at once when a unit has failed for good.\n"
        "With --run it returns when the run has ended, with the run's own status, or\n"
        "125 when that is not known. Without --timeout it waits for ever.",
    .need = daemon_need::acting,
    .units = unit_use::named,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .check = check_wait,
    .run = run_wait,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
