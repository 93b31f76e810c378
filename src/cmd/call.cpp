#include <fmt/format.h>

#include <chrono>

#include "cmd/call_params.hpp"
#include "cmd/command.hpp"
#include "cmd/connection.hpp"
#include "cmd/output.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "limits.hpp"
#include "unit/registry.hpp"
#include "util/duration.hpp"
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

// Without --timeout the unit's call_timeout holds, in the daemon; with it, both ends watch the same limit.
std::string request_call(invocation& call, const std::string& unit, const std::string& request) {
    try {
        return lifecycle::request_acting(call.where(), connect_options_of(call), "worker.call", request,
                                         call.limit);
    } catch (const failure& problem) {
        const bool ours = problem.kind() == error_kind::timeout &&
                          std::string_view(problem.what()).find("'worker.call'") != std::string_view::npos;
        if (!ours || !call.global.timeout) throw;
        throw failure(error_kind::timeout, fmt::format("cannot call '{}': no answer within {}", unit,
                                                       util::format_duration(*call.global.timeout)));
    }
}

exit_code run_call(invocation& call) {
    const std::string& unit = call.operands[0];
    const std::string& method = call.operands[1];
    if (!util::is_utf8(unit) || !util::is_utf8(method)) {
        throw failure(error_kind::usage,
                      fmt::format("cannot call '{}': unit and method must be UTF-8", unit));
    }
    const std::string params = call_params({call.operands.begin() + 2, call.operands.end()}, unit);
    std::string request =
        fmt::format(R"({{"unit":{},"method":{})", util::json_quote(unit), util::json_quote(method));
    if (!params.empty()) request.append(R"(,"params":)").append(params);
    if (call.global.timeout) request += fmt::format(R"(,"timeout_ms":{})", call.global.timeout->count());
    request += '}';
    const std::string result = request_call(call, unit, request);
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
    return exit_code::done;
}

struct call_request {
    std::string unit, method, params;
    std::optional<std::chrono::milliseconds> timeout;
};

call_request parse_call(std::string_view raw) {
    const failure malformed(
        error_kind::usage,
        "cannot read the params: they are not {\"unit\":NAME,\"method\":NAME,\"params\":ANY?,"
        "\"timeout_ms\":N?}");
    const auto members = util::json_object_members(raw);
    if (!members) throw malformed;
    std::optional<std::string> unit, method;
    call_request wanted;
    for (const auto& member : *members) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
        if (member.key == "method") method = util::json_unquote(member.value);
        if (member.key == "params") wanted.params = member.value;
        if (member.key == "timeout_ms") {
            const auto limit = util::json_integer(member.value);
            if (!limit || *limit < 0) throw malformed;
            wanted.timeout = std::chrono::milliseconds(*limit);
        }
    }
    if (!unit || !method) throw malformed;
    wanted.unit = std::move(*unit);
    wanted.method = std::move(*method);
    return wanted;
}

boost::asio::awaitable<std::string> answer_call(lifecycle::daemon& daemon, std::shared_ptr<ipc::session>,
                                                ipc::request asked) {
    call_request wanted = parse_call(asked.params);
    auto answer = daemon.registry().call(std::move(wanted.unit), std::move(wanted.method),
                                         std::move(wanted.params), wanted.timeout);
    co_return co_await std::move(answer);
}

constexpr option_row options[] = {{"raw,r", "", "print a string result as its text, without quotes"}};
constexpr method_row methods[] = {{.name = "worker.call", .later = answer_call}};

}  // namespace

extern constinit const command call_command{
    .name = "call",
    .summary = "ask a worker",
    .usage = "UNIT METHOD [PARAMS...]",
    .description =
        "Sends a request to a worker, starting it when it is not warm, and prints the\n"
        "result as JSON: pretty on a terminal, one line otherwise. PARAMS is one JSON\n"
        "text, - (standard input), @FILE, or key=text and key:=json pairs; anything else\n"
        "is sent as an array of strings. Ctrl-C cancels the request.",
    .need = daemon_need::acting,
    .completes = operand_kind::worker,
    .operands_min = 2,
    .operands_max = -1,
    .options = options,
    .run = run_call,
    .methods = methods,
};

}  // namespace hob::cmd
