#include <fmt/format.h>

#include <boost/json.hpp>

#include <chrono>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "cmd/units/request.hpp"
#include "cmd/units/unready.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "unit/process/caller.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

// Without a limit of its own: the services that it restarts have theirs.
std::string request_reload(invocation& call) {
    util::json_object members;
    if (call.has("dry-run")) members.add("dry", true);
    const std::string params = members.text();
    const std::string again = members.add("again", true).text();
    const lifecycle::request wanted{
        .method = "hob.reload", .params = params, .again = again, .reply_limit = call.limit};
    auto result = lifecycle::request_looking(call.where(), call.limit_or(limits::request_timeout), wanted);
    if (result) return std::move(*result);
    throw failure(error_kind::no_daemon, cannot("reload", call.where().root), "no daemon is running",
                  "the next start reads hob.toml anyway");
}

exit_code run_reload(invocation& call) {
    require_known_instance(call);
    const auto began = std::chrono::system_clock::now();
    std::string result;
    try {
        result = request_reload(call);
    } catch (const failure& why) {
        throw explain_unready(call, "reload", why, began);
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
    if (!changed) {
        print(util::json_find_true(result, {"again"})
                  ? "hob.toml is applied; what it changed is not known, since the daemon died meanwhile\n"
                  : "nothing changed\n");
    }
    print_by_itself(call, result);
    return exit_code::done;
}

// What a daemon before this one has changed is not known. It may have restarted these.
std::vector<std::string> units_on_their_way(handler_context context) {
    std::vector<std::string> names;
    for (const auto& status : context.units.registry().status()) {
        if (status.state == ipc::unit_state::starting || status.state == ipc::unit_state::stopping)
            names.push_back(status.name);
    }
    return names;
}

// Waits until the services that the reload restarts are ready.
boost::asio::awaitable<std::string> answer_reload(handler_context context, std::shared_ptr<ipc::session> by,
                                                  ipc::request request) {
    if (util::json_find_true(request.params, {"dry"}))
        co_return context.daemon.application().compare_config();
    const bool inside = unit::is_inside_unit(by->peer_pid());
    std::string difference = context.daemon.reload(inside ? lifecycle::config_change::replace_agreed
                                                          : lifecycle::config_change::replace);
    const bool again = util::json_find_true(request.params, {"again"});
    std::vector<std::string> changed = again ? units_on_their_way(context) : std::vector<std::string>();
    for (const auto element : util::json_array_elements(util::json_find(difference, {"changed"}))
                                  .value_or(std::vector<std::string_view>()))
        changed.push_back(util::json_unquote(element).value_or(""));
    co_await context.units.registry().start_units(context.units.registry().restarting(changed), std::nullopt);
    if (!again) co_return difference;
    co_return util::json_object(util::raw_json{difference}).add("again", true).text();
}

constexpr option_row options[] = {{"dry-run", "", "only say what would change"}};

constexpr method_row methods[] = {
    {.name = "hob.reload", .async_handler = answer_reload, .while_draining = true}};

}  // namespace

extern constinit const command reload_command{
    .name = "reload",
    .summary = "apply the changed hob.toml",
    .usage = "",
    .description =
        "Reads hob.toml again and applies the difference: units that did not change\n"
        "keep their processes. Returns once the services that it restarts are ready. A\n"
        "broken file changes nothing and is reported.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .options = options,
    .run = run_reload,
    .methods = methods,
};

}  // namespace hob::cmd
