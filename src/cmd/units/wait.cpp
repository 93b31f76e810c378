#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/units/request.hpp"
#include "cmd/units/unready.hpp"
#include "error.hpp"
#include "unit/application/application.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

using wanted_state = unit::registry::wanted_state;

struct wanted_word {
    std::string_view word;
    wanted_state state;
};
constexpr std::array wanted_words{wanted_word{"ready", wanted_state::ready},
                                  wanted_word{"stopped", wanted_state::stopped},
                                  wanted_word{"idle", wanted_state::idle}};

std::optional<wanted_state> state_named(std::string_view text) {
    for (const auto& one : wanted_words) {
        if (one.word == text) return one.state;
    }
    return std::nullopt;
}

exit_code run_wait(invocation& call) {
    const std::string& unit = call.operands.front();
    const std::string word = call.value("for").value_or("ready");
    if (!state_named(word)) {
        throw failure(error_kind::usage, fmt::format("cannot wait for '{}': '{}' is no state", unit, word),
                      "one of ready, stopped, idle");
    }
    const std::string params = fmt::format(R"({{"unit":{},"for":"{}"}})", util::json_quote(unit), word);
    const auto began = std::chrono::system_clock::now();
    std::string result;
    try {
        result = lifecycle::request_acting(call.where(), connect_options_of(call), "unit.wait", params,
                                           call.limit);
    } catch (const failure& why) {
        throw explain_unready(call, "wait for", why, began);
    }
    if (call.global.json) {
        print(result + "\n");
    } else if (!call.global.quiet) {
        for (const auto& one : read_units(result))
            print(unit_line(one));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_wait(handler_context context, std::shared_ptr<ipc::session>,
                                                ipc::request asked) {
    std::optional<std::string> unit, word;
    for (const auto& member :
         util::json_object_members(asked.params).value_or(std::vector<util::json_member>())) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
        if (member.key == "for") word = util::json_unquote(member.value);
    }
    const auto wanted = word ? state_named(*word) : std::nullopt;
    if (!unit || !wanted) {
        throw failure(error_kind::usage,
                      "cannot read the params: they are not {\"unit\":NAME,\"for\":\"ready\"|\"stopped\"|"
                      "\"idle\"}");
    }
    co_await context.units.registry().wait(*unit, *wanted);
    co_return unit_reply(context.units, {*unit});
}

constexpr option_row options[] = {
    {"for", "STATE", "ready (the default), stopped or idle", "ready stopped idle"},
};
constexpr method_row methods[] = {{.name = "unit.wait", .async_handler = answer_wait, .consents = false}};

}  // namespace

extern constinit const command wait_command{
    .name = "wait",
    .summary = "wait until a unit is ready, stopped or idle",
    .usage = "UNIT",
    .description =
        "Returns when the unit is ready, stopped or idle. Starts nothing by itself: who\n"
        "wants a service up says `hob start`. Fails at once when a unit that is waited\n"
        "for to be ready has failed for good. Without --timeout it waits for ever.",
    .need = daemon_need::acting,
    .units = unit_use::named,
    .completes = operand_kind::unit,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run_wait,
    .methods = methods,
};

}  // namespace hob::cmd
