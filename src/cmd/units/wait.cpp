#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/registry/registry.hpp"
#include "util/json_text.hpp"
#include "util/json_writer.hpp"

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

exit_code run_wait(invocation& call) {
    const std::string& unit = call.operands.front();
    const std::string word = call.value("for").value_or("ready");
    if (!condition_named(word)) {
        throw failure(error_kind::usage, cannot("wait for", unit), fmt::format("'{}' is no state", word),
                      "one of ready, stopped, idle");
    }
    const std::string params = util::json_object().add("unit", unit).add("for", word).text();
    const std::string result =
        lifecycle::request_acting(call.where(), connect_options_of(call), "unit.wait", params, call.limit);
    print_config_note(call, result);
    if (call.global.json) {
        print(result + "\n");
    } else if (!call.global.quiet) {
        for (const auto& view : read_units(result))
            print(unit_line(view));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_wait(lifecycle::daemon& daemon, std::shared_ptr<ipc::session>,
                                                ipc::request request) {
    std::optional<std::string> unit, word;
    for (const auto& member :
         util::json_object_members(request.params).value_or(std::vector<util::json_member>())) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
        if (member.key == "for") word = util::json_unquote(member.value);
    }
    const auto condition = word ? condition_named(*word) : std::nullopt;
    if (!unit || !condition) {
        throw failure(error_kind::usage, cannot("read", {}, "the params"),
                      "they are not {\"unit\":NAME,\"for\":\"ready\"|\"stopped\"|\"idle\"}");
    }
    co_await daemon.registry().wait(*unit, *condition);
    co_return unit_reply(daemon, {*unit});
}

constexpr option_row options[] = {{"for", "STATE", "ready (the default), stopped or idle"}};
constexpr method_row methods[] = {{.name = "unit.wait", .later = answer_wait, .consents = false}};

}  // namespace

extern constinit const command wait_command{
    .name = "wait",
    .summary = "wait until a unit is ready, stopped or idle",
    .usage = "UNIT",
    .description =
        "Returns when the unit is ready, stopped or idle. It starts nothing; `hob start`\n"
        "does. With --for ready it fails at once when the unit has failed for good.\n"
        "Without --timeout it waits for ever.",
    .need = daemon_need::acting,
    .completes = operand_kind::unit,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run_wait,
    .methods = methods,
};

}  // namespace hob::cmd
