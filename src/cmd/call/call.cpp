#include <fmt/format.h>

#include <chrono>

#include "cmd/call/list.hpp"
#include "cmd/call/request.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/connect.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/duration.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

// A string as its text, bytes that came as data_b64 as those bytes, anything else as JSON.
std::string raw_text(const std::string& result) {
    if (auto text = util::json_unquote(result)) return *text + "\n";
    if (const auto members = util::json_object_members(result);
        members && members->size() == 1 && members->front().key == "data_b64") {
        const auto encoded = util::json_unquote(members->front().value);
        if (const auto bytes = encoded ? util::base64_decode(*encoded) : std::nullopt) return *bytes + "\n";
    }
    return result + "\n";
}

void print_remark(const ipc::incoming& said) {
    if (said.method != "worker.remark") return;
    print_error("hob: " + util::json_find_string(said.payload, {"text"}).value_or("") + "\n");
}

// Without --timeout the unit's call_timeout holds, in the daemon; with it, both ends watch the same limit.
std::string request_call(invocation& call, const std::string& unit, const std::string& request) {
    try {
        lifecycle::connect_options options = connect_options_of(call);
        if (!call.global.quiet) options.on_notification = print_remark;
        return lifecycle::request_acting(call.where(), options, "worker.call", request, call.limit);
    } catch (const failure& problem) {
        const bool ours = problem.kind() == error_kind::timeout &&
                          std::string_view(problem.what()).find("'worker.call'") != std::string_view::npos;
        if (!ours || !call.global.timeout) throw;
        throw failure(error_kind::timeout, fmt::format("cannot call '{}': no answer within {}", unit,
                                                       util::format_duration(*call.global.timeout)));
    }
}

// One line for each event as it comes, then the reply's result.
std::string stream_call(invocation& call, const std::string& request) {
    const lifecycle::connect_options options = connect_options_of(call);
    ipc::client daemon = lifecycle::connect_acting(call.where(), options);
    daemon.send(ipc::request_line("1", "worker.call", request));
    for (;;) {
        const auto message = daemon.next(call.limit);
        if (!message) {
            throw failure(error_kind::no_daemon,
                          fmt::format("cannot call '{}': the daemon ended meanwhile", call.operands[0]));
        }
        if (message->what == ipc::incoming::kind::error) throw ipc::failure_from_error(message->payload);
        if (message->what == ipc::incoming::kind::result) return message->payload;
        if (!call.global.quiet) print_remark(*message);
        if (message->method != "worker.event") continue;
        print(util::json_without(message->payload, "id") + "\n");
        flush();
    }
}

void print_result(const invocation& call, const std::string& result) {
    const terminal out = out_terminal();
    if (call.has("raw")) {
        print(raw_text(result));
    } else if (out.interactive && !call.global.json) {
        std::string pretty = util::json_pretty(result, out.color);
        if (!pretty.ends_with('\n')) pretty += '\n';
        print(pretty);
    } else {
        print(result + "\n");
    }
}

// --list and --capabilities: about the worker itself.
exit_code run_about(invocation& call, std::string_view option) {
    const std::string& unit = call.operands[0];
    const std::string timeout =
        call.global.timeout ? fmt::format(R"(,"timeout_ms":{})", call.global.timeout->count()) : "";
    const std::string result = lifecycle::request_acting(
        call.where(), connect_options_of(call), fmt::format("worker.{}", option),
        fmt::format(R"({{"unit":{}{}}})", util::json_quote(unit), timeout), call.limit);
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
    throw failure(error_kind::usage,
                  fmt::format("cannot call '{}': {}", unit,
                              about ? "--list and --capabilities take no method" : "no method is given"),
                  "hob help call");
}

exit_code run_call(invocation& call) {
    for (const std::string_view option : {"list", "capabilities"}) {
        if (call.has(option)) return run_about(call, option);
    }
    const std::string request = call_request_of(call);
    if (call.has("events")) {
        print(stream_call(call, request) + "\n");
    } else {
        print_result(call, request_call(call, call.operands[0], request));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_call(handler_context context, std::shared_ptr<ipc::session> by,
                                                ipc::request asked) {
    call_request wanted = parse_call(asked.params);
    const std::string head = R"({"id":)" + (asked.id.empty() ? "null" : asked.id) + ",";
    wanted.wish.remark = [by, head](const std::string& text) {
        by->notify("worker.remark", head + R"("text":)" + util::json_quote(text) + "}");
    };
    if (wanted.stream) {
        wanted.wish.events.stream = [by, head](const std::string& event) {
            if (by->backlog() > limits::streamed_backlog_max) return false;
            by->notify("worker.event", head + event.substr(1));
            return true;
        };
    }
    co_return co_await context.units.registry().call(std::move(wanted.unit), std::move(wanted.wish));
}

boost::asio::awaitable<std::string> answer_capabilities(handler_context context,
                                                        std::shared_ptr<ipc::session>, ipc::request asked) {
    const call_request wanted = parse_about(asked.params);
    co_return co_await context.units.registry().capabilities(wanted.unit, wanted.wish.timeout);
}

boost::asio::awaitable<std::string> answer_list(handler_context context, std::shared_ptr<ipc::session>,
                                                ipc::request asked) {
    const call_request wanted = parse_about(asked.params);
    co_return co_await context.units.registry().list(wanted.unit, wanted.wish.timeout);
}

constexpr option_row options[] = {
    {"raw,r", "", "print a string result as its text, without quotes"},
    {"notify,n", "", "send a notification: nothing is answered"},
    {"until,u", "EVENT,...", "wait for one of these events that comes after the request"},
    {"collect,c", "EVENT,...", "gather these events meanwhile"},
    {"events,e", "", "print the events as they come, one a line"},
    {"locals", "", "with --until: the top frame and its variables, too (DAP)"},
    {"generation", "N", "refuse when the handles in the params are of another stop"},
    {"list,l", "", "list what the worker offers: tools, resources, prompts (MCP)"},
    {"capabilities", "", "print what the worker said in its handshake"},
};
constexpr method_row methods[] = {
    {.name = "worker.call", .async_handler = answer_call},
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
    .completes = operand_kind::worker,
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .check = check_call,
    .run = run_call,
    .methods = methods,
};

}  // namespace hob::cmd
