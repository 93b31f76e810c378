#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

constexpr option_row options[] = {
    {"now", "", "kill the units at once, and the daemon if it is wedged"},
    {"all", "", "end every daemon of this user"},
};

lifecycle::end_options end_options_of(const invocation& call) {
    lifecycle::end_options wanted;
    wanted.now = call.has("now");
    // Every daemon keeps its own shutdown_timeout, which is at most this.
    wanted.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    return wanted;
}

json::value pid_or_null(std::optional<pid_t> pid) { return pid ? json::value(*pid) : json::value(nullptr); }

exit_code end_one(invocation& call) {
    const auto pid = lifecycle::end_daemon(call.where(), end_options_of(call));
    if (call.global.json) {
        json::object result;
        result["instance"] = call.where().key;
        result["state"] = "stopped";
        result["pid"] = pid_or_null(pid);
        print(json::serialize(result) + "\n");
    } else if (!call.global.quiet) {
        print(pid ? fmt::format("the daemon has ended (pid {})\n", *pid)
                  : std::string("no daemon was running\n"));
    }
    return exit_code::done;
}

// One that cannot be ended does not keep the others.
exit_code end_all(invocation& call) {
    exit_code worst = exit_code::done;
    json::array ended;
    for (const auto& key :
         lifecycle::known_keys(lifecycle::find_runtime_dir(), lifecycle::find_state_root())) {
        try {
            const auto pid = lifecycle::end_daemon(lifecycle::known_instance(key), end_options_of(call));
            if (!pid) continue;
            if (call.global.json)
                ended.push_back(json::object{{"instance", key}, {"state", "stopped"}, {"pid", *pid}});
            else if (!call.global.quiet)
                print(fmt::format("{}  has ended (pid {})\n", key, *pid));
        } catch (const failure& why) {
            print_failure(why, call.global.json);
            worst = exit_code_of(why.kind());
        }
    }
    if (call.global.json) print(json::serialize(ended) + "\n");
    return worst;
}

exit_code run_shutdown(invocation& call) { return call.has("all") ? end_all(call) : end_one(call); }

std::string answer_shutdown(handler_context context, ipc::session&, const ipc::request& asked) {
    const ipc::shutdown_request request = ipc::parse_shutdown_params(asked.params);
    if (request.if_idle && context.daemon.application().busy()) {
        throw failure(error_kind::version, "cannot replace this daemon: it is busy", "hob restart");
    }
    // A user who ends the daemon wants nothing of it resumed; a successor that follows at once resumes
    // everything.
    if (!request.restart && !request.if_idle) context.daemon.application().forget_running();
    context.daemon.begin_shutdown(
        request.now ? lifecycle::shutdown_mode::now : lifecycle::shutdown_mode::graceful, "hob.shutdown");
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
        "Lets what is in flight finish, stops the units and ends the daemon; returns\n"
        "when it is gone. Nothing running is success.",
    .need = daemon_need::looking,
    .options = options,
    .run = run_shutdown,
    .methods = methods,
};

}  // namespace hob::cmd
