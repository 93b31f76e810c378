#include "cmd/call/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>

#include "cmd/call/params.hpp"
#include "error.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view pattern_hint =
    "an event is written EVENT or EVENT:FIELD=VALUE, several with commas";

[[noreturn]] void refuse(const std::string& unit, const std::string& reason, std::string hint = {}) {
    throw failure(error_kind::usage, fmt::format("cannot call '{}': {}", unit, reason), std::move(hint));
}

// `a,b:c=d` as ["a","b:c=d"], each checked.
std::string patterns_json(const invocation& call, std::string_view option) {
    std::string array;
    for (const auto& [name, text] : call.options) {
        if (name != option) continue;
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(one.size() + 1, rest.size()));
            if (!util::is_utf8(one) || !unit::parse_event_pattern(one))
                refuse(call.operands[0], fmt::format("'{}' is no event", one), std::string(pattern_hint));
            array += (array.empty() ? "[" : ",") + util::json_quote(one);
        }
    }
    return array.empty() ? array : array + "]";
}

std::string current_directory() {
    std::array<char, PATH_MAX> path;
    return ::getcwd(path.data(), path.size()) ? path.data() : "";
}

void add_options(std::string& request, const invocation& call) {
    for (const std::string_view option : {"until", "collect"}) {
        const std::string patterns = patterns_json(call, option);
        if (!patterns.empty()) request += fmt::format(R"(,"{}":{})", option, patterns);
        if (patterns.empty() && call.has(option))
            refuse(call.operands[0], fmt::format("--{} names no event", option), std::string(pattern_hint));
    }
    for (const std::string_view option : {"events", "notify", "locals"}) {
        if (call.has(option)) request += fmt::format(R"(,"{}":true)", option);
    }
    if (const auto generation = call.value("generation")) {
        const auto number = util::json_integer(*generation);
        if (!number || *number < 0)
            refuse(call.operands[0], fmt::format("--generation '{}' is no number", *generation));
        request += fmt::format(R"(,"generation":{})", *number);
    }
}

}  // namespace

std::string call_request_of(const invocation& call) {
    const std::string& unit = call.operands[0];
    const std::string& method = call.operands[1];
    if (!util::is_utf8(unit) || !util::is_utf8(method)) refuse(unit, "unit and method must be UTF-8");
    if (call.has("locals") && !call.has("until")) refuse(unit, "--locals needs --until");
    if (call.has("events") && !call.has("until") && !call.has("collect"))
        refuse(unit, "--events needs --until or --collect", "they say which events");
    const std::string params = call_params({call.operands.begin() + 2, call.operands.end()}, unit);
    std::string request =
        fmt::format(R"({{"unit":{},"method":{})", util::json_quote(unit), util::json_quote(method));
    if (!params.empty()) request.append(R"(,"params":)").append(params);
    if (call.global.timeout) request += fmt::format(R"(,"timeout_ms":{})", call.global.timeout->count());
    if (params.starts_with('{')) {
        const std::string directory = current_directory();
        if (util::is_utf8(directory)) request += R"(,"cwd":)" + util::json_quote(directory);
    }
    add_options(request, call);
    return request + "}";
}

namespace {

struct malformed_params {};

std::vector<unit::event_pattern> patterns_of(std::string_view raw) {
    const auto texts = util::json_array_elements(raw);
    if (!texts) throw malformed_params();
    std::vector<unit::event_pattern> patterns;
    for (const auto text : *texts) {
        const auto plain = util::json_unquote(text);
        auto pattern = plain ? unit::parse_event_pattern(*plain) : std::nullopt;
        if (!pattern) throw malformed_params();
        patterns.push_back(std::move(*pattern));
    }
    return patterns;
}

bool boolean_of(std::string_view raw) {
    const auto value = util::json_boolean(raw);
    if (!value) throw malformed_params();
    return *value;
}

std::int64_t number_of(std::string_view raw) {
    const auto value = util::json_integer(raw);
    if (!value || *value < 0) throw malformed_params();
    return *value;
}

std::string text_of(std::string_view raw) {
    auto text = util::json_unquote(raw);
    if (!text) throw malformed_params();
    return std::move(*text);
}

void read_member(call_request& wanted, const util::json_member& member) {
    auto& wish = wanted.wish;
    if (member.key == "unit") wanted.unit = text_of(member.value);
    if (member.key == "method") wish.method = text_of(member.value);
    if (member.key == "params") wish.params = member.value;
    if (member.key == "timeout_ms") wish.timeout = std::chrono::milliseconds(number_of(member.value));
    if (member.key == "cwd") wish.cwd = text_of(member.value);
    if (member.key == "notify") wish.notify = boolean_of(member.value);
    if (member.key == "locals") wish.follow = boolean_of(member.value);
    if (member.key == "events") wanted.stream = boolean_of(member.value);
    if (member.key == "until") wish.events.until = patterns_of(member.value);
    if (member.key == "collect") wish.events.collect = patterns_of(member.value);
    if (member.key == "generation") wish.generation = static_cast<std::uint64_t>(number_of(member.value));
}

}  // namespace

static call_request parse(std::string_view raw, bool needs_method, const char* form) {
    call_request wanted;
    bool unit = false;
    bool method = !needs_method;
    try {
        const auto members = util::json_object_members(raw);
        if (!members) throw malformed_params();
        for (const auto& member : *members) {
            read_member(wanted, member);
            unit = unit || member.key == "unit";
            method = method || member.key == "method";
        }
        if (!unit || !method) throw malformed_params();
    } catch (const malformed_params&) {
        throw failure(error_kind::usage, fmt::format("cannot read the params: they are not {}", form));
    }
    return wanted;
}

call_request parse_call(std::string_view raw) {
    return parse(raw, true,
                 R"({"unit":NAME,"method":NAME,"params":ANY?,"timeout_ms":N?}, see doc/protocol.md 6.7)");
}

call_request parse_about(std::string_view raw) {
    return parse(raw, false, R"({"unit":NAME,"timeout_ms":N?})");
}

}  // namespace hob::cmd
