#include "cmd/call/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>

#include "cmd/call/params.hpp"
#include "error.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view pattern_hint =
    "an event is written EVENT or EVENT:FIELD=VALUE, several with commas";

[[noreturn]] void refuse(const std::string& unit, const std::string& reason, std::string hint = {}) {
    throw failure(error_kind::usage, cannot("call", unit), reason, std::move(hint));
}

// `a,b:c=d` as ["a","b:c=d"], each checked.
util::json_array patterns_of_option(const invocation& call, std::string_view option) {
    util::json_array patterns;
    for (const auto& [name, text] : call.options) {
        if (name != option) continue;
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::string_view pattern = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(pattern.size() + 1, rest.size()));
            if (!util::is_utf8(pattern) || !unit::parse_event_pattern(pattern)) {
                refuse(call.operands[0], fmt::format("'{}' is no event", pattern), std::string(pattern_hint));
            }
            patterns.add(pattern);
        }
    }
    return patterns;
}

std::string current_directory() {
    std::array<char, PATH_MAX> path;
    return ::getcwd(path.data(), path.size()) ? path.data() : "";
}

void add_options(util::json_object& params, const invocation& call) {
    for (const std::string_view option : {"until", "collect"}) {
        const util::json_array patterns = patterns_of_option(call, option);
        if (!patterns.empty()) params.add(option, patterns);
        if (patterns.empty() && call.has(option))
            refuse(call.operands[0], fmt::format("--{} names no event", option), std::string(pattern_hint));
    }
    for (const std::string_view option : {"events", "notify", "locals", "apply"}) {
        if (call.has(option)) params.add(option, true);
    }
    if (const auto generation = call.value("generation")) {
        const auto number = util::json_integer(*generation);
        if (!number || *number < 0)
            refuse(call.operands[0], fmt::format("--generation '{}' is no number", *generation));
        params.add("generation", *number);
    }
}

}  // namespace

std::string make_call_params(const invocation& call) {
    const std::string& unit = call.operands[0];
    const std::string& method = call.operands[1];
    if (!util::is_utf8(unit) || !util::is_utf8(method)) refuse(unit, "unit and method must be UTF-8");
    if (call.has("locals") && !call.has("until")) refuse(unit, "--locals needs --until");
    if (call.has("apply") && call.has("notify"))
        refuse(unit, "--apply needs an answer, and --notify gets none");
    if (call.has("events") && !call.has("until") && !call.has("collect"))
        refuse(unit, "--events needs --until or --collect", "they say which events");
    const std::string own_params = call_params({call.operands.begin() + 2, call.operands.end()}, unit);
    util::json_object params;
    params.add("unit", unit).add("method", method);
    if (!own_params.empty()) params.add("params", util::raw_json{own_params});
    if (call.global.timeout) params.add("timeout_ms", call.global.timeout->count());
    if (own_params.starts_with('{')) {
        const std::string directory = current_directory();
        if (util::is_utf8(directory)) params.add("cwd", directory);
    }
    add_options(params, call);
    return std::move(params).text();
}

namespace {

struct malformed_params {};

template <typename T>
T required(std::optional<T> value) {
    if (!value) throw malformed_params();
    return std::move(*value);
}

std::string text_of(std::string_view raw) { return required(util::json_unquote(raw)); }

bool boolean_of(std::string_view raw) { return required(util::json_boolean(raw)); }

std::int64_t number_of(std::string_view raw) {
    const std::int64_t number = required(util::json_integer(raw));
    if (number < 0) throw malformed_params();
    return number;
}

std::vector<unit::event_pattern> patterns_of(std::string_view raw) {
    std::vector<unit::event_pattern> patterns;
    for (const auto text : required(util::json_array_elements(raw)))
        patterns.push_back(required(unit::parse_event_pattern(text_of(text))));
    return patterns;
}

void read_member(worker_call_params& params, const util::json_member& member) {
    unit::call_request& call = params.call;
    if (member.key == "unit") params.unit = text_of(member.value);
    if (member.key == "method") call.method = text_of(member.value);
    if (member.key == "params") call.params = member.value;
    if (member.key == "timeout_ms") call.timeout = std::chrono::milliseconds(number_of(member.value));
    if (member.key == "cwd") call.cwd = text_of(member.value);
    if (member.key == "notify") call.notify = boolean_of(member.value);
    if (member.key == "apply") call.apply = boolean_of(member.value);
    if (member.key == "locals") call.details = boolean_of(member.value);
    if (member.key == "events") params.stream = boolean_of(member.value);
    if (member.key == "until") call.events.until = patterns_of(member.value);
    if (member.key == "collect") call.events.collect = patterns_of(member.value);
    if (member.key == "generation") call.generation = static_cast<std::uint64_t>(number_of(member.value));
}

// `form` describes the params for the message.
worker_call_params parse(std::string_view raw, bool needs_method, std::string_view form) {
    worker_call_params params;
    bool has_unit = false;
    bool has_method = false;
    try {
        for (const auto& member : required(util::json_object_members(raw))) {
            read_member(params, member);
            has_unit = has_unit || member.key == "unit";
            has_method = has_method || member.key == "method";
        }
        if (!has_unit || (needs_method && !has_method)) throw malformed_params();
    } catch (const malformed_params&) {
        throw failure(error_kind::usage, cannot("read the params"), fmt::format("they are not {}", form));
    }
    return params;
}

}  // namespace

worker_call_params parse_call_params(std::string_view raw) {
    return parse(
        raw, true,
        "{\"unit\":NAME,\"method\":NAME,\"params\":ANY?,\"timeout_ms\":N?}, see doc/protocol.md 6.7");
}

worker_call_params parse_about_params(std::string_view raw) {
    return parse(raw, false, "{\"unit\":NAME,\"timeout_ms\":N?}");
}

}  // namespace hob::cmd
