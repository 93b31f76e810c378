#include "unit/protocol/dap/breakpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr std::string_view source_method = "setBreakpoints";
constexpr std::array<std::string_view, 3> other_methods{"setFunctionBreakpoints", "setExceptionBreakpoints",
                                                        "setInstructionBreakpoints"};
constexpr std::string_view key_prefix = "sticky ";  // "sticky METHOD" or "sticky METHOD PATH"

asio::awaitable<void> restore(session_host& host, std::string key, std::string params, remark_handler remark,
                              util::deadline limit) {
    const std::string what = key.substr(key_prefix.size());
    try {
        co_await host.request(what.substr(0, what.find(' ')), std::move(params), limit);
    } catch (const failure& why) {
        if (why.kind() != error_kind::worker_error) throw;
        util::log(util::level::warning, "unit", "stored breakpoints were refused",
                  {util::field("unit", host.spec().name), util::field("what", what),
                   util::field("reason", why.what())});
        if (remark) remark(fmt::format("'{}' was refused: {}", what, why.what()));
    }
}

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

// Members that belong to a breakpoint, not to the request: they are removed from `params`.
raw_members take_conditions(std::string& params) {
    raw_members taken;
    for (const std::string_view key : {"column", "condition", "hitCondition", "logMessage", "mode"}) {
        const std::string_view value = util::json_find(params, {key});
        if (value.empty()) continue;
        taken.emplace_back(key, key == "column" ? util::json_display_text(value) : std::string(value));
        params = util::json_without(params, key);
    }
    return taken;
}

}  // namespace

std::string absolute_path(const std::string& path, const std::string& directory) {
    return path.starts_with('/') ? path : directory + "/" + path;
}

void make_absolute(std::string& params, std::string_view key, const std::string& directory) {
    const auto path = util::json_find_string(params, {key});
    if (!path || path->empty()) return;
    params = util::json_set(params, {key}, util::json_quote(absolute_path(*path, directory)));
}

std::string breakpoints_key(const std::string& method, const std::string& params) {
    if (std::find(other_methods.begin(), other_methods.end(), method) != other_methods.end())
        return std::string(key_prefix) + method;
    if (method != source_method) return {};
    const auto path = util::json_find_string(params, {"source", "path"});
    return path && !path->empty() ? fmt::format("{}{} {}", key_prefix, method, *path) : std::string();
}

void expand_breakpoints_shorthand(const std::string& unit, std::string& params,
                                  const std::string& directory) {
    const auto file = util::json_find_string(params, {"file"});
    if (!file) return;
    util::json_array breakpoints;
    for (const auto given : elements(util::json_find(params, {"breakpoints"})))
        breakpoints.add(util::raw_json{given});
    const raw_members conditions = take_conditions(params);
    const auto add = [&breakpoints, &conditions](std::string_view raw) {
        const std::string line = util::json_display_text(raw);
        util::json_object breakpoint;
        breakpoint.add("line", util::raw_json{line});
        for (const auto& [key, value] : conditions)
            breakpoint.add(key, util::raw_json{value});
        breakpoints.add(breakpoint);
    };
    for (const auto line : elements(util::json_find(params, {"lines"})))
        add(line);
    const std::string_view line = util::json_find(params, {"line"});
    if (!line.empty()) add(line);
    std::string expanded =
        util::json_without(util::json_without(util::json_without(params, "file"), "line"), "lines");
    expanded =
        util::json_set(expanded, {"source", "path"}, util::json_quote(absolute_path(*file, directory)));
    params = util::json_set(expanded, {"breakpoints"}, breakpoints.text());
    if (util::validate_json(params, limits::json_depth_max)) {
        throw failure(error_kind::usage, cannot("call", unit), "'line' and 'column' are numbers from 1 on");
    }
}

std::string unverified_breakpoints(const std::string& params) {
    util::json_array all;
    for (const auto breakpoint : elements(util::json_find(params, {"breakpoints"}))) {
        util::json_object answer;
        answer.add("verified", false).add("message", "set at the next launch");
        const std::string_view line = util::json_find(breakpoint, {"line"});
        if (!line.empty()) answer.add("line", util::raw_json{line});
        all.add(answer);
    }
    return util::json_object().add("breakpoints", all).text();
}

// An empty list is stored for exceptions: adapters have default filters that it switches off.
void store_breakpoints(session_host& host, const std::string& key, std::string params) {
    const auto breakpoints = util::json_array_elements(util::json_find(params, {"breakpoints"}));
    if (breakpoints && breakpoints->empty()) params.clear();
    host.remember(key, std::move(params), validity::protocol);
}

asio::awaitable<void> restore_breakpoints(session_host& host, remark_handler remark, util::deadline limit) {
    const auto stored = host.recall_all(key_prefix);
    for (const auto& [key, params] : stored) {
        co_await restore(host, key, params, remark, limit);
    }
}

}  // namespace hob::unit
