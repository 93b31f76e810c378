// The daemon's half of `hob run`.
#include "cmd/run/methods.hpp"

#include <fmt/format.h>

#include <boost/system/system_error.hpp>

#include <utility>

#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "unit/application/application.hpp"
#include "unit/task/run_job.hpp"

namespace hob::cmd {
namespace {

namespace asio = boost::asio;

unit::run_listener listener_for(const std::shared_ptr<ipc::session>& from) {
    unit::run_listener listener;
    listener.started = [from](std::int64_t run) {
        from->notify("run.started", fmt::format(R"({{"run":{}}})", run));
    };
    listener.output = [from](std::int64_t run, std::string_view stream, std::string_view bytes) {
        from->notify("run.output", fmt::format(R"({{"run":{},"stream":"{}",{}}})", run, stream,
                                               text_member("data", bytes)));
    };
    listener.queued = [from] { return from->backlog(); };
    listener.drained = [from] { return from->drained(); };
    return listener;
}

unit::run_order order_of(run_request& wanted, const std::shared_ptr<ipc::session>& from) {
    unit::run_order order;
    order.arguments = std::move(wanted.arguments);
    if (!wanted.environment.empty()) order.caller = std::move(wanted.environment);
    order.input = wanted.input;
    order.terminal = wanted.terminal;
    // What a terminal is called was dropped from the environment with all else of the caller's own.
    if (wanted.terminal) order.variables.emplace_back("TERM", wanted.terminal_type.value_or("dumb"));
    if (!wanted.detach) order.listener = listener_for(from);
    return order;
}

std::shared_ptr<unit::run_job> job_named(handler_context context, std::int64_t run) {
    if (auto job = context.units.registry().job(run)) return job;
    const auto known = context.units.registry().runs().find(run);
    if (!known) {
        throw failure(error_kind::unit_unknown,
                      fmt::format("cannot reach run '{}': there is no such run", run), "hob runs lists them");
    }
    throw failure(error_kind::unit_failed,
                  fmt::format("cannot reach run '{}': it is over ({})", run, known->state));
}

}  // namespace

asio::awaitable<std::string> answer_run(handler_context context, std::shared_ptr<ipc::session> from,
                                        ipc::request asked) {
    run_request wanted = parse_run_request(asked.params);
    unit::run_order order = order_of(wanted, from);
    std::shared_ptr<unit::run_job> job;
    if (wanted.task) {
        job = context.units.registry().run_task(*wanted.task, std::move(order));
    } else {
        order.cwd = wanted.cwd.value_or(context.units.where().root);
        job = context.units.registry().run_command(std::move(wanted.command), std::move(order));
    }
    if (wanted.detach) {
        co_await job->begun();
        co_return fmt::format(R"({{"run":{}}})", job->id());
    }
    try {
        const unit::run_record record = co_await job->wait();
        co_return unit::run_json(record, context.units.where().log_dir());
    } catch (const boost::system::system_error&) {
        // Nobody waits for the answer any more.
        if (!job->outlives_client()) job->cancel("its client went away");
        job->drop_listener();
        throw;
    }
}

asio::awaitable<std::string> answer_run_input(handler_context context, std::shared_ptr<ipc::session>,
                                              ipc::request asked) {
    run_message said = parse_run_message(asked.params);
    const auto job = job_named(context, said.run);
    const bool open = co_await job->input(std::move(said.data));
    if (said.end) job->close_input();
    co_return open ? R"({"open":true})" : R"({"open":false})";
}

std::string answer_run_cancel(handler_context context, ipc::session&, const ipc::request& asked) {
    const run_message said = parse_run_message(asked.params);
    const auto job = job_named(context, said.run);
    job->cancel("cancelled");
    if (said.kill) job->kill_now();
    return "{}";
}

std::string answer_run_detach(handler_context context, ipc::session&, const ipc::request& asked) {
    const auto job = job_named(context, parse_run_message(asked.params).run);
    job->detach();
    job->drop_listener();
    return "{}";
}

std::string answer_run_resize(handler_context context, ipc::session&, const ipc::request& asked) {
    const run_message said = parse_run_message(asked.params);
    job_named(context, said.run)->resize(said.size);
    return "{}";
}

}  // namespace hob::cmd
