#include <fmt/format.h>

#include <optional>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/signal_name.hpp"

namespace hob::cmd {
namespace {

int number_of(const std::string& text) {
    util::signal_error error;
    if (const auto number = util::parse_any_signal(text, error)) return *number;
    throw failure(error_kind::usage, cannot("send", text), "it " + error.reason, error.hint);
}

exit_code run_signal(invocation& call) {
    require_known_instance(call);
    const std::string& unit = call.operands[0];
    const int number = number_of(call.operands[1]);
    util::json_object members;
    members.add("unit", unit).add("signal", number);
    if (call.has("group")) members.add("group", true);
    const std::string params = std::move(members).text();
    const auto limit = call.limit_or(limits::request_timeout);
    // A signal that was sent twice may be another one.
    const lifecycle::request wanted{.method = "unit.signal", .params = params, .reply_limit = limit};
    if (!lifecycle::request_looking(call.where(), limit, wanted))
        throw failure(error_kind::no_daemon, cannot("signal", unit), "no daemon is running");
    if (call.global.json) print("{}\n");
    return exit_code::done;
}

std::string answer_signal(handler_context context, ipc::session& by, const ipc::request& request) {
    std::optional<std::string> unit;
    std::optional<std::int64_t> number;
    bool whole = false;
    for (const auto& member :
         util::json_object_members(request.params).value_or(std::vector<util::json_member>())) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
        if (member.key == "signal") number = util::json_integer(member.value);
        if (member.key == "group") whole = member.value == "true";
    }
    if (!unit || !number || *number < 1 || *number > 64) {
        throw failure(error_kind::usage, cannot("read", {}, "the params"),
                      "they are not {\"unit\":NAME,\"signal\":NUMBER,\"group\":BOOL?}");
    }
    context.units.registry().signal(context.units.name_for(*unit, by.peer_pid()), static_cast<int>(*number),
                                    whole);
    return "{}";
}

constexpr option_row options[] = {{"group", "", "to every process of the unit"}};
constexpr method_row methods[] = {{.name = "unit.signal", .handler = answer_signal}};

}  // namespace

extern constinit const command signal_command{
    .name = "signal",
    .summary = "send a signal to a service or a worker",
    .usage = "UNIT SIGNAL",
    .description =
        "Sends the signal, such as HUP or USR1, to the main process of the unit. A\n"
        "service that ends by it is restarted as `restart` says; `hob stop` stops one.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_min = 2,
    .operands_max = 2,
    .options = options,
    .run = run_signal,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
