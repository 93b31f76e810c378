#include <fmt/format.h>

#include "cmd/core/bad_ends.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "cmd/shutdown/end_one.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "limits.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr option_row options[] = {
    {"now", "", "kill the units at once, and the daemon if it is wedged"},
    {"all", "", "end every daemon of this user"},
};

// Continues with the others when one cannot be ended.
exit_code end_all(invocation& call) {
    exit_code worst = exit_code::done;
    util::json_array ended;
    for (const auto& key :
         lifecycle::known_keys(lifecycle::find_runtime_dir(), lifecycle::find_state_root())) {
        try {
            const auto [pid, units] =
                lifecycle::end_daemon(lifecycle::known_instance(key), end_options_of(call));
            if (!pid) continue;
            if (call.global.json)
                ended.add(ended_json(key, pid, units));
            else if (!call.global.quiet)
                print(fmt::format("{}  has ended (pid {})\n", key, *pid));
            if (tell_bad_ends(units, call.global)) worst = exit_code::failed;
        } catch (const failure& why) {
            print_failure(why, call.global.json);
            worst = exit_code_of(why.kind());
        }
    }
    if (call.global.json) print(std::move(ended).text() + "\n");
    return worst;
}

exit_code run_shutdown(invocation& call) { return call.has("all") ? end_all(call) : end_one(call); }

std::string answer_shutdown(handler_context context, ipc::session&, const ipc::request& request) {
    const ipc::shutdown_request params = ipc::parse_shutdown_params(request.params);
    const bool busy = context.daemon.application().busy() || context.daemon.server().in_flight() > 0;
    if (params.if_idle && busy) {
        throw failure(error_kind::version, cannot("replace", "", "this daemon"), "it is busy",
                      "hob restart --daemon");
    }
    // A shutdown clears what should be up. In a restart the successor brings it back.
    if (!params.restart && !params.if_idle) context.daemon.application().forget_running();
    if (params.restart) context.daemon.publish("daemon.restarting", "{}");
    context.daemon.begin_shutdown(
        params.now ? lifecycle::shutdown_mode::now : lifecycle::shutdown_mode::graceful,
        std::string(this_program.methods.shutdown));
    ipc::shutdown_reply reply;
    reply.pid = ::getpid();
    return ipc::shutdown_result(reply);
}

constexpr method_row methods[] = {
    {.name = "hob.shutdown", .handler = answer_shutdown, .while_draining = true}};

}  // namespace

extern constinit const command shutdown_command{
    .name = "shutdown",
    .summary = "end the daemon",
    .usage = "",
    .description =
        "Lets calls and runs in flight finish, stops the units and ends the daemon.\n"
        "Returns when it is gone. Without a daemon it succeeds at once.",
    .need = daemon_need::looking,
    .options = options,
    .run = run_shutdown,
    .methods = methods,
};

}  // namespace hob::cmd
