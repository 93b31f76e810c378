#include "cmd/run/methods.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/system/system_error.hpp>

#include <utility>

#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "limits.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/application/application.hpp"
#include "unit/registry/registry.hpp"
#include "unit/task/active_run.hpp"
#include "unit/task/run_output.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

namespace asio = boost::asio;

unit::run_listener listener_for(const std::shared_ptr<ipc::session>& client) {
    unit::run_listener listener;
    listener.started = [client](std::int64_t run) {
        client->notify("run.started", util::json_object().add("run", run).text());
    };
    listener.output = [client](std::int64_t run, std::string_view stream, std::string_view bytes) {
        util::json_object params;
        params.add("run", run).add("stream", stream);
        add_bytes(params, "data", bytes);
        client->notify("run.output", std::move(params).text());
    };
    listener.skipped = [client](std::int64_t run, std::string_view stream, std::uint64_t bytes) {
        util::json_object params;
        params.add("run", run).add("stream", stream).add("bytes", bytes);
        client->notify("run.skipped", std::move(params).text());
    };
    listener.queued = [client] { return client->backlog(); };
    listener.drained = [client] { return client->drained(); };
    return listener;
}

unit::run_parameters run_parameters_of(run_request& request, const std::shared_ptr<ipc::session>& client) {
    unit::run_parameters parameters;
    parameters.arguments = std::move(request.arguments);
    if (!request.environment.empty()) parameters.caller = std::move(request.environment);
    parameters.input = request.input;
    parameters.umask = request.umask;
    parameters.limits = std::move(request.limits);
    if (request.input_descriptor) {
        parameters.input_descriptor = std::make_shared<util::unique_fd>(client->take_descriptor());
        if (!*parameters.input_descriptor)
            throw failure(error_kind::usage, cannot("read", {}, "the params"),
                          "no descriptor came with 'stdin_fd'");
    }
    parameters.token = request.token;
    parameters.terminal = request.terminal;
    // TERM was dropped from the environment with the other variables of the caller's terminal.
    if (request.terminal) parameters.variables.emplace_back("TERM", request.terminal_type.value_or("dumb"));
    if (!request.detach) parameters.listener = listener_for(client);
    return parameters;
}

std::shared_ptr<unit::active_run> require_run(handler_context context, std::int64_t id) {
    if (auto run = context.units.registry().find_run(id)) return run;
    const auto known = context.units.registry().runs().find(id);
    if (!known) {
        throw failure(error_kind::unit_unknown, cannot("reach run", std::to_string(id)),
                      "there is no such run", "hob runs lists them");
    }
    throw failure(error_kind::unit_failed, cannot("reach run", std::to_string(id)),
                  fmt::format("it is over ({})", name_of(known->state)));
}

// A command names nothing of hob.toml, so nothing of hob.toml may decide what it executes.
void refuse_new_environment(handler_context context, const std::string& command) {
    const auto variables = context.units.registry().unaccepted_variables();
    if (variables.empty()) return;
    throw failure(error_kind::consent_needed, cannot("run", command),
                  fmt::format("[env] in hob.toml is new, and sets {}, which may decide what is executed",
                              fmt::join(variables, ", ")),
                  "read it, then accept it with: hob reload");
}

// Until the run has ended. A client that goes away meanwhile cancels it, unless it is detached.
asio::awaitable<std::string> outcome_of(handler_context context, std::shared_ptr<unit::active_run> run,
                                        std::shared_ptr<ipc::session> follower = nullptr,
                                        unit::run_offsets from = {}) {
    try {
        if (follower) {
            unit::run_listener listener = listener_for(follower);
            co_await run->follow(std::move(listener), from);
        }
        const unit::run_record record = co_await run->wait();
        co_return unit::run_json(record, context.units.where().log_dir());
    } catch (const boost::system::system_error&) {
        if (!run->outlives_client()) run->cancel("its client went away");
        run->drop_listener();
        throw;
    }
}

// The output of a run that is over, from its log.
asio::awaitable<void> send_logged(handler_context context, std::shared_ptr<ipc::session> client,
                                  unit::run_record run, unit::run_offsets from) {
    const unit::run_listener to = listener_for(client);
    to.started(run.id);
    const auto found = unit::read_ended_output(context.units.where().unit_log_path(run.task), run, from);
    for (std::size_t which = 0; which < from.size(); ++which) {
        if (found.missing[which] > 0)
            to.skipped(run.id, unit::output_streams_of_run[which], found.missing[which]);
    }
    for (const auto& piece : found.pieces) {
        to.output(run.id, unit::output_streams_of_run[piece.stream], piece.bytes);
        if (client->backlog() > limits::run_output_queued_max) co_await client->drained();
    }
}

asio::awaitable<std::string> follow(handler_context context, std::shared_ptr<ipc::session> client,
                                    std::int64_t id, unit::run_offsets from) {
    if (auto run = context.units.registry().find_run(id))
        co_return co_await outcome_of(context, std::move(run), std::move(client), from);
    const auto record = context.units.registry().runs().find(id);
    if (!record || record->kind != unit::record_kind::run) {
        throw failure(error_kind::unit_unknown, cannot("follow run", std::to_string(id)),
                      "there is no such run", "hob runs lists them");
    }
    co_await send_logged(context, std::move(client), *record, from);
    co_return unit::run_json(*record, context.units.where().log_dir());
}

}  // namespace

asio::awaitable<std::string> answer_run(handler_context context, std::shared_ptr<ipc::session> client,
                                        ipc::request request) {
    run_request request_params = parse_run_request(request.params);
    unit::run_parameters parameters = run_parameters_of(request_params, client);
    if (const auto begun = context.units.registry().run_of(request_params.token)) {
        if (request_params.detach) co_return util::json_object().add("run", *begun).text();
        co_return co_await follow(context, client, *begun, unit::run_offsets());
    }
    std::shared_ptr<unit::active_run> run;
    if (request_params.task) {
        co_await context.daemon.apply_changed_file();
        request_params.task = context.units.name_for(*request_params.task, client->peer_pid());
        context.units.refuse_deadlock("run", {*request_params.task}, client->peer_pid());
        context.units.consent({*request_params.task}, client->peer_pid());
        run = context.units.registry().run_task(*request_params.task, std::move(parameters));
    } else {
        refuse_new_environment(context, request_params.command.front());
        parameters.cwd = request_params.cwd.value_or(context.units.where().root);
        run = context.units.registry().run_command(std::move(request_params.command), std::move(parameters));
    }
    if (request_params.detach) {
        co_await run->begun();
        co_return util::json_object().add("run", run->id()).text();
    }
    co_return co_await outcome_of(context, std::move(run));
}

asio::awaitable<std::string> answer_run_follow(handler_context context, std::shared_ptr<ipc::session> client,
                                               ipc::request request) {
    const follow_request wanted = parse_follow_request(request.params);
    co_return co_await follow(context, std::move(client), wanted.run, wanted.from);
}

asio::awaitable<std::string> answer_run_input(handler_context context, std::shared_ptr<ipc::session>,
                                              ipc::request request) {
    run_message message = parse_run_message(request.params);
    const auto run = require_run(context, message.run);
    const bool open = co_await run->input(std::move(message.data));
    if (message.end) run->close_input();
    co_return util::json_object().add("open", open).text();
}

asio::awaitable<std::string> answer_run_wait(handler_context context, std::shared_ptr<ipc::session>,
                                             ipc::request request) {
    const std::int64_t id = parse_run_message(request.params).run;
    if (const auto run = context.units.registry().find_run(id)) {
        try {
            co_await run->wait();
        } catch (const failure&) {
            // It did not start; its record says so.
        }
    } else {
        co_await context.units.registry().wait_for_life(id);
    }
    const auto record = context.units.registry().runs().find(id);
    if (!record) {
        const bool forgotten = context.units.registry().runs().was_forgotten(id);
        throw failure(error_kind::unit_unknown, cannot("wait for run", std::to_string(id)),
                      forgotten ? "it was removed from the history" : "there is no such run",
                      "hob runs lists them");
    }
    co_return unit::run_json(*record, context.units.where().log_dir());
}

std::string answer_run_cancel(handler_context context, ipc::session&, const ipc::request& request) {
    const run_message message = parse_run_message(request.params);
    const auto run = require_run(context, message.run);
    run->cancel("cancelled");
    if (message.kill) run->kill_now();
    return "{}";
}

std::string answer_run_detach(handler_context context, ipc::session&, const ipc::request& request) {
    const auto run = require_run(context, parse_run_message(request.params).run);
    run->detach();
    run->drop_listener();
    return "{}";
}

std::string answer_run_resize(handler_context context, ipc::session&, const ipc::request& request) {
    const run_message message = parse_run_message(request.params);
    require_run(context, message.run)->resize(message.size);
    return "{}";
}

}  // namespace hob::cmd
