#include "cmd/units/up_foreground.hpp"

#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "cmd/core/foreground.hpp"
#include "cmd/core/output.hpp"
#include "cmd/handlers/make_application.hpp"
#include "cmd/units/up_session.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/async.hpp"

namespace hob::cmd {
namespace {

namespace asio = boost::asio;

struct outcome {
    std::optional<up_end> end;
    std::optional<failure> failed;  // of hob itself
};

asio::awaitable<void> keep_up(handler_context context, std::string params, std::shared_ptr<outcome> into) {
    try {
        up_session session = plan_up(context, parse_unit_request(params), ::getpid());
        into->end = co_await bring_up(context, std::move(session));
    } catch (const failure& why) {
        into->failed.emplace(why);
    }
    context.units.forget_running();
    context.daemon.begin_shutdown(lifecycle::shutdown_mode::graceful, "what it was started for has ended");
}

exit_code status_of(const outcome& of, const std::string& exit_with, bool json) {
    if (of.failed) throw failure(*of.failed);
    if (!of.end) return exit_code::done;
    for (const auto& unit : of.end->failed) {
        print_failure(failure(error_kind::unit_failed, cannot("keep", unit.name, "up"),
                              unit.reason.empty() ? "it has failed" : unit.reason),
                      json);
    }
    if (exit_with.empty())
        return of.end->failed.empty() || of.end->shuts_down ? exit_code::done : exit_code::failed;
    if (of.end->status) return static_cast<exit_code>(*of.end->status);
    throw failure(error_kind::unit_failed, cannot("end with", exit_with),
                  of.end->no_status.empty() ? "the daemon has shut down before it ended" : of.end->no_status);
}

}  // namespace

exit_code up_in_foreground(invocation& call, const std::string& params, const std::string& exit_with) {
    const auto result = std::make_shared<outcome>();
    foreground_options options;
    options.shutdown_max = limits::container_shutdown;
    options.make_application = [&](lifecycle::daemon& daemon, lifecycle::application_context context) {
        const asio::any_io_executor executor = context.executor;
        auto made = make_application(daemon, std::move(context));
        const handler_context handlers{daemon, static_cast<unit::application&>(*made)};
        // It runs once the daemon has started.
        util::spawn(executor, keep_up(handlers, params, result), "up");
        return made;
    };
    run_foreground(call, std::move(options));
    return status_of(*result, exit_with, call.global.json);
}

}  // namespace hob::cmd
