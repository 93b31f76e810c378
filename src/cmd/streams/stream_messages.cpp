#include "cmd/streams/stream_messages.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string>

#include "error.hpp"
#include "util/base64.hpp"
#include "util/json/json_text.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// A list of texts is encoded as one: all of it as base64 where any of it is not UTF-8.
void put_texts(json::object& into, std::string_view name, const std::vector<std::string>& texts) {
    const bool plain =
        std::all_of(texts.begin(), texts.end(), [](const std::string& text) { return util::is_utf8(text); });
    json::array list;
    for (const auto& text : texts)
        list.emplace_back(plain ? text : util::base64_encode(text));
    into[plain ? std::string(name) : std::string(name) + "_b64"] = std::move(list);
}

[[noreturn]] void malformed(const std::string& what) {
    throw failure(error_kind::usage, "cannot read the params: " + what);
}

std::string text_of(const json::value& value, std::string_view name, bool encoded) {
    if (!value.is_string()) malformed("'" + std::string(name) + "' is no text");
    std::string text(value.as_string());
    if (!encoded) return text;
    auto bytes = util::base64_decode(text);
    if (!bytes) malformed("'" + std::string(name) + "' is no base64");
    return std::move(*bytes);
}

std::optional<std::string> take_text(const json::object& from, const std::string& name) {
    if (const auto* value = from.if_contains(name + "_b64")) return text_of(*value, name, true);
    if (const auto* value = from.if_contains(name)) return text_of(*value, name, false);
    return std::nullopt;
}

std::vector<std::string> take_texts(const json::object& from, const std::string& name) {
    const auto* encoded = from.if_contains(name + "_b64");
    const auto* value = encoded ? encoded : from.if_contains(name);
    if (!value) return {};
    if (!value->is_array()) malformed("'" + name + "' is no array");
    std::vector<std::string> texts;
    for (const auto& each : value->as_array()) {
        texts.push_back(text_of(each, name, encoded != nullptr));
        if (texts.back().find('\0') != std::string::npos) malformed("'" + name + "' has a NUL byte");
    }
    return texts;
}

bool take_flag(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (!value) return false;
    if (!value->is_bool()) malformed("'" + std::string(name) + "' is neither true nor false");
    return value->as_bool();
}

std::optional<unsigned> take_umask(const json::object& from) {
    const auto* value = from.if_contains("umask");
    if (!value) return std::nullopt;
    if (!value->is_int64() || value->as_int64() < 0 || value->as_int64() > 0777)
        malformed("'umask' is no umask");
    return static_cast<unsigned>(value->as_int64());
}

json::value limit_value(rlim_t value) {
    return value == RLIM_INFINITY ? json::value(nullptr) : json::value(static_cast<std::uint64_t>(value));
}

std::optional<rlim_t> parse_limit(const json::value& value) {
    if (value.is_null()) return RLIM_INFINITY;
    if (value.is_uint64()) return value.as_uint64();
    if (value.is_int64() && value.as_int64() >= 0) return static_cast<rlim_t>(value.as_int64());
    return std::nullopt;
}

json::object limits_object(const std::vector<util::resource_limit>& limits) {
    json::object object;
    for (const auto& [resource, value] : limits)
        object[util::resource_name(resource)] =
            json::array{limit_value(value.rlim_cur), limit_value(value.rlim_max)};
    return object;
}

// Resources that this version does not know are left out.
std::vector<util::resource_limit> take_limits(const json::object& from) {
    std::vector<util::resource_limit> limits;
    const auto* value = from.if_contains("limits");
    if (!value) return limits;
    if (!value->is_object()) malformed("'limits' is no object");
    for (const auto& [name, pair] : value->as_object()) {
        const bool is_pair = pair.is_array() && pair.as_array().size() == 2;
        const auto soft = is_pair ? parse_limit(pair.as_array()[0]) : std::nullopt;
        const auto hard = is_pair ? parse_limit(pair.as_array()[1]) : std::nullopt;
        if (!soft || !hard || *soft > *hard)
            malformed("'limits' has no soft and hard limit for '" + std::string(name) + "'");
        if (const auto resource = util::resource_named(name)) limits.push_back({*resource, {*soft, *hard}});
    }
    return limits;
}

unit::terminal_size size_of(const json::object& from) {
    unit::terminal_size size;
    const auto take = [&](std::string_view name, unsigned short& into) {
        const auto* value = from.if_contains(name);
        if (!value) return;
        if (!value->is_int64() || value->as_int64() < 0 || value->as_int64() > 0xffff)
            malformed("'" + std::string(name) + "' is no size");
        into = static_cast<unsigned short>(value->as_int64());
    };
    take("rows", size.rows);
    take("columns", size.columns);
    return size;
}

json::object object_of(std::string_view params) {
    boost::system::error_code error;
    json::value parsed = json::parse(params.empty() ? "{}" : params, error);
    if (error || !parsed.is_object()) malformed("they are no object");
    return std::move(parsed.as_object());
}

std::int64_t run_in(const json::object& from) {
    const auto* run = from.if_contains("run");
    if (!run || !run->is_int64()) malformed("'run' is no number of a run");
    return run->as_int64();
}

}  // namespace

void add_bytes(util::json_object& to, std::string_view name, std::string_view bytes) {
    if (util::is_utf8(bytes)) {
        to.add(name, bytes);
    } else {
        to.add(std::string(name) + "_b64", util::base64_encode(bytes));
    }
}

std::string text_member(std::string_view name, std::string_view bytes) {
    std::string text = "\"" + std::string(name);
    if (!util::is_utf8(bytes)) return text + "_b64\":\"" + util::base64_encode(bytes) + "\"";
    text += "\":";
    util::json_quote_to(text, bytes);
    return text;
}

std::string run_params(const run_request& wanted) {
    json::object params;
    if (wanted.task) {
        params["task"] = *wanted.task;
        put_texts(params, "args", wanted.arguments);
    } else {
        put_texts(params, "command", wanted.command);
    }
    put_texts(params, "env", wanted.environment);
    if (wanted.cwd) {
        const bool plain = util::is_utf8(*wanted.cwd);
        params[plain ? "cwd" : "cwd_b64"] = plain ? *wanted.cwd : util::base64_encode(*wanted.cwd);
    }
    if (wanted.input) params["stdin"] = true;
    if (wanted.input_descriptor) params["stdin_fd"] = true;
    if (wanted.umask) params["umask"] = *wanted.umask;
    if (!wanted.limits.empty()) params["limits"] = limits_object(wanted.limits);
    if (wanted.detach) params["detach"] = true;
    if (wanted.terminal) {
        json::object tty{{"rows", wanted.terminal->rows}, {"columns", wanted.terminal->columns}};
        if (wanted.terminal_type) tty["term"] = *wanted.terminal_type;
        params["tty"] = std::move(tty);
    }
    if (!wanted.token.empty()) params["token"] = wanted.token;
    return json::serialize(params);
}

run_request parse_run_request(std::string_view params) {
    const json::object from = object_of(params);
    run_request wanted;
    wanted.task = take_text(from, "task");
    wanted.command = take_texts(from, "command");
    wanted.arguments = take_texts(from, "args");
    wanted.environment = take_texts(from, "env");
    wanted.cwd = take_text(from, "cwd");
    wanted.input = take_flag(from, "stdin");
    wanted.input_descriptor = take_flag(from, "stdin_fd");
    wanted.umask = take_umask(from);
    wanted.limits = take_limits(from);
    wanted.detach = take_flag(from, "detach");
    if (wanted.task.has_value() == !wanted.command.empty()) malformed("they need either 'task' or 'command'");
    if (wanted.cwd && !wanted.cwd->starts_with('/')) malformed("'cwd' is not absolute");
    if (const auto* tty = from.if_contains("tty")) {
        if (!tty->is_object()) malformed("'tty' is no object");
        wanted.terminal = size_of(tty->as_object());
        wanted.terminal_type = take_text(tty->as_object(), "term");
    }
    if (const auto* token = from.if_contains("token")) wanted.token = text_of(*token, "token", false);
    return wanted;
}

run_message parse_run_message(std::string_view params) {
    const json::object from = object_of(params);
    run_message said;
    said.run = run_in(from);
    said.data = take_text(from, "data").value_or("");
    said.end = take_flag(from, "end");
    said.kill = take_flag(from, "kill");
    said.size = size_of(from);
    return said;
}

std::string follow_params(const follow_request& wanted) {
    json::object params{{"run", wanted.run}};
    for (std::size_t which = 0; which < wanted.from.size(); ++which)
        params[unit::output_streams_of_run[which]] = wanted.from[which];
    return json::serialize(params);
}

follow_request parse_follow_request(std::string_view params) {
    const json::object from = object_of(params);
    follow_request wanted;
    wanted.run = run_in(from);
    for (std::size_t which = 0; which < wanted.from.size(); ++which) {
        const std::string_view name = unit::output_streams_of_run[which];
        const auto* value = from.if_contains(name);
        if (!value) continue;
        if (!value->is_int64() || value->as_int64() < 0)
            malformed("'" + std::string(name) + "' is no number of bytes");
        wanted.from[which] = static_cast<std::uint64_t>(value->as_int64());
    }
    return wanted;
}

}  // namespace hob::cmd
