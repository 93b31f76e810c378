#include <fmt/format.h>

#include <chrono>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/daemon.hpp"
#include "limits.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

exit_code run_ping(invocation& call) {
    const auto began = std::chrono::steady_clock::now();
    const std::string result = ask(call, this_program.methods.ping, "", limits::request_timeout);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    const auto reply = ipc::parse_ping_result(result);
    if (!reply)
        throw failure(error_kind::internal, cannot("read the reply to a ping"), "it is no such reply");
    if (!call.global.quiet) print(fmt::format("pong from pid {} in {:.2f} ms\n", reply->pid, took.count()));
    return exit_code::done;
}

std::string answer_ping(handler_context context, ipc::session&, const ipc::request&) {
    ipc::ping_reply reply;
    reply.pid = context.daemon.pid();
    reply.version = version_text;
    reply.protocol = protocol_version;
    reply.draining = context.daemon.draining();
    reply.uptime_ms = context.daemon.uptime().count();
    return ipc::ping_result(reply);
}

constexpr method_row methods[] = {{.name = "hob.ping", .handler = answer_ping, .while_draining = true}};

}  // namespace

extern constinit const command ping_command{
    .name = "ping",
    .summary = "round trip to the daemon",
    .usage = "",
    .description =
        "Asks the daemon for a sign of life, starting it when there is none, and\n"
        "prints its pid and how long the answer took.",
    .need = daemon_need::acting,
    .run = run_ping,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
