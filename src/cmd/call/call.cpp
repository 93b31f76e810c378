#include <fmt/format.h>

#include <chrono>

#include "cmd/call/list.hpp"
#include "cmd/call/raw_content.hpp"
#include "cmd/call/request.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "ipc/draining.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/duration.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view call_method = "worker.call";

// A string as its text, data_b64 as its bytes, the content of an MCP tool as raw_content() has it, anything
// else as JSON.
std::string raw_text(const std::string& result) {
    if (auto content = raw_content(result)) return *content;
    if (auto text = util::json_unquote(result)) return *text + "\n";
    if (const auto members = util::json_object_members(result);
        members && members->size() == 1 && members->front().key == "data_b64") {
        const auto encoded = util::json_unquote(members->front().value);
        if (const auto bytes = encoded ? util::base64_decode(*encoded) : std::nullopt) return *bytes + "\n";
    }
    return result + "\n";
}

void print_remark(const ipc::incoming& message) {
    if (message.method != "worker.remark") return;
    const std::string text = util::json_find_string(message.payload, {"text"}).value_or("");
    print_error("hob: " + printable(text, err_terminal().utf8) + "\n");
}

// With --timeout both ends have the same limit. The daemon's error says more, so it gets time to arrive.
util::deadline reply_limit(const invocation& call) {
    return call.global.timeout ? util::deadline::in(call.limit.remaining() + limits::call_grace) : call.limit;
}

// Its worker has ended with the daemon.
failure lost_with_daemon(const std::string& unit) {
    return failure(error_kind::daemon_lost, cannot("call", unit), "the daemon died before it replied",
                   "repeat it; the worker may or may not have done it");
}

// Without --timeout the daemon applies the unit's call_timeout. With it, the client has a limit, too, for a
// daemon that does not answer.
std::string request_call(invocation& call, const std::string& unit, const std::string& request) {
    try {
        lifecycle::request wanted{
            .method = call_method, .params = request, .reply_limit = reply_limit(call)};
        if (!call.global.quiet) wanted.on_notification = print_remark;
        return lifecycle::request_acting(call.where(), connect_options_of(call), wanted);
    } catch (const failure& problem) {
        if (problem.kind() == error_kind::daemon_lost) throw lost_with_daemon(unit);
        const bool ours = problem.kind() == error_kind::timeout && problem.tried().object == call_method;
        if (!ours || !call.global.timeout) throw;
        throw failure(error_kind::timeout, cannot("call", unit),
                      fmt::format("no answer within {}", util::format_duration(*call.global.timeout)));
    }
}

std::string stream_events(const invocation& call, ipc::client& daemon, util::deadline limit) {
    const std::string& unit = call.operands[0];
    while (const auto message = daemon.next(limit)) {
        if (message->what == ipc::incoming::kind::error) {
            const failure why = ipc::failure_from_error(message->payload);
            if (ipc::is_draining_refusal(why)) throw ipc::not_executed();
            throw why;
        }
        if (message->what == ipc::incoming::kind::result) return message->payload;
        if (!call.global.quiet) print_remark(*message);
        if (message->method != "worker.event") continue;
        print(util::json_without(message->payload, "id") + "\n");
        flush();
    }
    const failure lost = daemon.lost(cannot("call", unit));
    throw lost.kind() == error_kind::daemon_lost ? lost_with_daemon(unit) : lost;
}

// Prints each event as it comes, one a line, and returns the result.
std::string stream_call(invocation& call, const std::string& request) {
    const util::deadline limit = reply_limit(call);
    std::string result;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool) {
        daemon.send(ipc::request_line("1", call_method, request));
        result = stream_events(call, daemon, limit);
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), call_method, false, talk);
    return result;
}

void print_result(const invocation& call, const std::string& result) {
    const terminal out = out_terminal();
    if (call.has("raw")) {
        const std::string text = raw_text(result);
        print(out.interactive ? printable_lines(text, out.utf8) : text);
    } else if (out.interactive && !call.global.json) {
        std::string pretty = util::json_pretty(result, out.color);
        if (!pretty.ends_with('\n')) pretty += '\n';
        print(pretty);
    } else {
        print(result + "\n");
    }
}

// --list and --capabilities.
exit_code run_about(invocation& call, std::string_view option) {
    const std::string& unit = call.operands[0];
    util::json_object params;
    params.add("unit", unit);
    if (call.global.timeout) params.add("timeout_ms", call.global.timeout->count());
    const std::string method = fmt::format("worker.{}", option), text = params.text();
    const std::string result = lifecycle::request_acting(
        call.where(), connect_options_of(call),
        {.method = method, .params = text, .again = text, .reply_limit = call.limit});
    if (option == "list" && !call.global.json) {
        print(lists_text(result, out_terminal()));
    } else {
        print_result(call, result);
    }
    return exit_code::done;
}

void check_call(const invocation& call) {
    const std::string& unit = call.operands[0];
    const bool about = call.has("list") || call.has("capabilities");
    if (about == (call.operands.size() == 1)) return;
    throw failure(error_kind::usage, cannot("call", unit),
                  about ? "--list and --capabilities take no method" : "no method is given", "hob help call");
}

exit_code run_call(invocation& call) {
    for (const std::string_view option : {"list", "capabilities"}) {
        if (call.has(option)) return run_about(call, option);
    }
    const std::string request = make_call_params(call);
    if (call.has("events")) {
        print(stream_call(call, request) + "\n");
    } else {
        print_result(call, request_call(call, call.operands[0], request));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_call(handler_context context, std::shared_ptr<ipc::session> by,
                                                ipc::request request) {
    worker_call_params params = parse_call_params(request.params);
    params.unit = context.units.name_for(params.unit, by->peer_pid());
    context.units.consent({params.unit}, by->peer_pid());
    const std::string id = request.id.empty() ? "null" : request.id;
    params.call.remark = [by, id](const std::string& text) {
        util::json_object remark;
        remark.add("id", util::raw_json{id}).add("text", text);
        by->notify("worker.remark", std::move(remark).text());
    };
    if (params.stream) {
        params.call.events.stream = [by, id](const unit::worker_event& event) {
            if (by->backlog() > limits::streamed_backlog_max) return false;
            util::json_object message;
            message.add("id", util::raw_json{id});
            unit::add_event(message, event);
            by->notify("worker.event", std::move(message).text());
            return true;
        };
    }
    co_return co_await context.units.registry().call(std::move(params.unit), std::move(params.call));
}

boost::asio::awaitable<std::string> answer_capabilities(handler_context context,
                                                        std::shared_ptr<ipc::session> by,
                                                        ipc::request request) {
    worker_call_params params = parse_about_params(request.params);
    params.unit = context.units.name_for(params.unit, by->peer_pid());
    context.units.consent({params.unit}, by->peer_pid());
    co_return co_await context.units.registry().capabilities(params.unit, params.call.timeout);
}

boost::asio::awaitable<std::string> answer_list(handler_context context, std::shared_ptr<ipc::session> by,
                                                ipc::request request) {
    worker_call_params params = parse_about_params(request.params);
    params.unit = context.units.name_for(params.unit, by->peer_pid());
    context.units.consent({params.unit}, by->peer_pid());
    co_return co_await context.units.registry().list(params.unit, params.call.timeout);
}

constexpr option_row options[] = {
    {"raw,r", "", "print a string result, or the texts of an MCP tool, without quotes"},
    {"notify,n", "", "send a notification: nothing is answered"},
    {"until,u", "EVENT,...", "wait for one of these events that comes after the request"},
    {"collect,c", "EVENT,...", "gather these events meanwhile"},
    {"events,e", "", "print the events as they come, one a line"},
    {"locals", "", "with --until: the top frame and its variables, too (DAP)"},
    {"apply", "", "write the edits that a language server answers with, or asks for"},
    {"generation", "N", "refuse when the handles in the params are of another stop"},
    {"list,l", "", "list what the worker offers: tools, resources, prompts (MCP)"},
    {"capabilities", "", "print what the worker said in its handshake"},
};
constexpr method_row methods[] = {
    {.name = call_method, .async_handler = answer_call},
    {.name = "worker.capabilities", .async_handler = answer_capabilities},
    {.name = "worker.list", .async_handler = answer_list},
};

}  // namespace

extern constinit const command call_command{
    .name = "call",
    .summary = "ask a worker",
    .usage = "UNIT [METHOD [PARAMS...]]",
    .description =
        "Sends a request to a worker, starting it when it is not warm, and prints the\n"
        "result as JSON: pretty on a terminal, one line otherwise. PARAMS is one JSON\n"
        "text, - (standard input), @FILE, or key=text and key:=json pairs; anything else\n"
        "is sent as an array of strings. Ctrl-C cancels the request.\n"
        "An EVENT is EVENT or EVENT:FIELD=VALUE, FIELD being a path in what it says.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::worker,
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .check = check_call,
    .run = run_call,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
