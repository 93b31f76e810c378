#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
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

std::string answer_shutdown(lifecycle::daemon& daemon, ipc::session&, const ipc::request& asked) {
    json::error_code error;
    const json::value params =
        asked.params.empty() ? json::value(json::object()) : json::parse(asked.params, error);
    const auto flag = [&](const char* name) {
        const json::object* object = error ? nullptr : params.if_object();
        const json::value* value = object ? object->if_contains(name) : nullptr;
        return value && value->is_bool() && value->as_bool();
    };
    if (flag("if_idle") && daemon.busy()) {
        throw failure(error_kind::version, "cannot replace this daemon: it is busy", "hob restart --daemon");
    }
    // Who ends it wants nothing of it any more; a successor that follows at once is to bring all back.
    if (!flag("restart") && !flag("if_idle")) daemon.store().clear_all_desired_up();
    daemon.begin_shutdown(flag("now") ? lifecycle::shutdown_mode::now : lifecycle::shutdown_mode::graceful,
                          "hob.shutdown");
    ipc::shutdown_reply reply;
    reply.pid = ::getpid();
    return ipc::shutdown_result(reply);
}

constexpr method_row methods[] = {{"hob.shutdown", answer_shutdown}};

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
