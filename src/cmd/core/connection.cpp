#include "cmd/core/connection.hpp"

#include "cmd/core/output.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"

namespace hob::cmd {

lifecycle::connect_options connect_options_of(const invocation& call) {
    lifecycle::connect_options options;
    options.limit = call.limit;
    options.spawn = !call.global.no_spawn;
    if (!call.global.quiet && err_terminal().interactive) {
        options.on_wait = [](std::string_view line) {
            print_error(std::string(this_program.name).append(": ").append(line).append("\n"));
        };
    }
    return options;
}

void look_at_greeting(invocation& call) {
    if (call.global.json || call.global.quiet) return;
    try {
        lifecycle::connect_looking(call.where(), call.limit_or(limits::glance_timeout));
    } catch (const failure&) {  // whoever asks for the daemon learns of it
    }
}

std::string ask(invocation& call, std::string_view method, std::string_view params,
                std::chrono::milliseconds reply_limit) {
    lifecycle::connect_options options = connect_options_of(call);
    // A ping is frozen and changes nothing, so it may be sent to a daemon of any version.
    if (method == this_program.methods.ping) options.early = ipc::early_request{method, params};
    return lifecycle::request_acting(call.where(), options,
                                     {.method = method,
                                      .params = params,
                                      .again = params,
                                      .reply_limit = call.limit_or(reply_limit)});
}

}  // namespace hob::cmd
