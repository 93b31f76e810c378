#include "unit/protocol/dap/breakpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr std::string_view of_sources = "setBreakpoints";
constexpr std::array<std::string_view, 3> others{"setFunctionBreakpoints", "setExceptionBreakpoints",
                                                 "setInstructionBreakpoints"};
constexpr std::string_view kept_prefix = "sticky ";  // of the keys that they are kept as

asio::awaitable<void> set_again(session_host& with, std::string key, std::string params,
                                decltype(call_request::remark) remark, util::deadline limit) {
    const std::string named = key.substr(kept_prefix.size());
    try {
        co_await with.ask(named.substr(0, named.find(' ')), std::move(params), limit);
    } catch (const failure& why) {
        if (why.kind() != error_kind::worker_error) throw;
        util::log(util::level::warning, "unit", "breakpoints that were kept are refused",
                  {util::field("unit", with.spec().name), util::field("what", named),
                   util::field("reason", why.what())});
        if (remark) remark(fmt::format("'{}' was refused: {}", named, why.what()));
    }
}

}  // namespace

std::string absolute_path(const std::string& path, const std::string& directory) {
    return path.starts_with('/') ? path : directory + "/" + path;
}

std::string breakpoints_key(const std::string& method, const std::string& params) {
    if (std::find(others.begin(), others.end(), method) != others.end())
        return std::string(kept_prefix) + method;
    if (method != of_sources) return {};
    const auto path = util::json_find_string(params, {"source", "path"});
    return path && !path->empty() ? fmt::format("{}{} {}", kept_prefix, method, *path) : std::string();
}

void breakpoints_shorthand(const std::string& unit, std::string& params, const std::string& directory) {
    const auto file = util::json_find_string(params, {"file"});
    if (!file) return;
    std::string breakpoints;
    const auto add = [&breakpoints](std::string_view raw) {
        breakpoints +=
            fmt::format(R"({}{{"line":{}}})", breakpoints.empty() ? "" : ",", util::json_display_text(raw));
    };
    const std::string lines(util::json_find(params, {"lines"}));
    const std::string line(util::json_find(params, {"line"}));
    for (const auto one : util::json_array_elements(lines).value_or(std::vector<std::string_view>()))
        add(one);
    if (!line.empty()) add(line);
    std::string made =
        util::json_without(util::json_without(util::json_without(params, "file"), "line"), "lines");
    made = util::json_set(made, {"source", "path"}, util::json_quote(absolute_path(*file, directory)));
    params = util::json_set(made, {"breakpoints"}, "[" + breakpoints + "]");
    if (util::validate_json(params, limits::json_depth_max)) {
        throw failure(error_kind::usage, fmt::format("cannot call '{}': 'line' is a number from 1 on", unit));
    }
}

std::string breakpoints_promised(const std::string& params) {
    std::string all = "[";
    const auto wanted = util::json_array_elements(util::json_find(params, {"breakpoints"}));
    for (const auto one : wanted.value_or(std::vector<std::string_view>())) {
        const std::string_view line = util::json_find(one, {"line"});
        all += fmt::format(R"({}{{"verified":false,"message":"set at the next launch"{}}})",
                           all.size() > 1 ? "," : "",
                           line.empty() ? std::string() : fmt::format(R"(,"line":{})", line));
    }
    return R"({"breakpoints":)" + all + "]}";
}

// None at all is nothing to keep, other than of exceptions, for which adapters have filters of their own.
void keep_breakpoints(session_host& with, const std::string& key, std::string params) {
    const auto wanted = util::json_array_elements(util::json_find(params, {"breakpoints"}));
    if (wanted && wanted->empty()) params.clear();
    with.remember(key, std::move(params), validity::protocol);
}

asio::awaitable<void> set_kept_breakpoints(session_host& with, decltype(call_request::remark) remark,
                                           util::deadline limit) {
    const auto all = with.recall_all(kept_prefix);
    for (const auto& [key, params] : all) {
        co_await set_again(with, key, params, remark, limit);
    }
}

}  // namespace hob::unit
