#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

exit_code run_reload(invocation& call) {
    require_known_instance(call);
    const auto limit = call.limit_or(limits::request_timeout);
    auto connection = lifecycle::connect_looking(call.where(), limit);
    if (!connection) {
        throw failure(error_kind::no_daemon, cannot("reload", call.where().root), "no daemon is running",
                      "the next start reads hob.toml anyway");
    }
    std::string result;
    try {
        const std::string params =
            call.has("dry-run") ? util::json_object().add("dry", true).text() : std::string();
        result = connection->call("hob.reload", params, limit);
    } catch (const ipc::not_executed&) {
        throw failure(error_kind::no_daemon, cannot("reload", call.where().root),
                      "the daemon is shutting down");
    }
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    if (call.global.quiet) return exit_code::done;
    const boost::json::value difference = boost::json::parse(result);
    bool changed = false;
    for (const char* list : {"added", "removed", "changed"}) {
        for (const auto& name : difference.at(list).as_array()) {
            print(fmt::format("{:8}{}\n", list, std::string_view(name.as_string())));
            changed = true;
        }
    }
    if (!changed) print("nothing changed\n");
    return exit_code::done;
}

std::string answer_reload(handler_context context, ipc::session&, const ipc::request& request) {
    bool dry = false;
    for (const auto& member :
         util::json_object_members(request.params).value_or(std::vector<util::json_member>())) {
        if (member.key == "dry") dry = member.value == "true";
    }
    return context.daemon.reload(dry);
}

constexpr option_row options[] = {{"dry-run", "", "only say what would change"}};

constexpr method_row methods[] = {{.name = "hob.reload", .handler = answer_reload, .while_draining = true}};

}  // namespace

extern constinit const command reload_command{
    .name = "reload",
    .summary = "apply the changed hob.toml",
    .usage = "",
    .description =
        "Reads hob.toml again and applies the difference: units that did not change\n"
        "keep their processes. A broken file changes nothing and is reported.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .options = options,
    .run = run_reload,
    .methods = methods,
};

}  // namespace hob::cmd
