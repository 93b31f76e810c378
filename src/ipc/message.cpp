#include "ipc/message.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "limits.hpp"
#include "util/json/json_scan.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::ipc {
namespace {

// Never renumbered: doc/protocol.md section 3.3 lists them.
constexpr std::array failure_codes{
    std::pair{error_kind::usage, invalid_params},    std::pair{error_kind::config, -32001},
    std::pair{error_kind::untrusted_config, -32002}, std::pair{error_kind::no_daemon, -32003},
    std::pair{error_kind::start_failed, -32004},     std::pair{error_kind::crash_loop, -32005},
    std::pair{error_kind::wedged, -32006},           std::pair{error_kind::denied, -32007},
    std::pair{error_kind::foreign, -32008},          std::pair{error_kind::instance_elsewhere, -32009},
    std::pair{error_kind::version, -32010},          std::pair{error_kind::timeout, -32011},
    std::pair{error_kind::unit_unknown, -32012},     std::pair{error_kind::unit_failed, -32013},
    std::pair{error_kind::worker_error, -32014},     std::pair{error_kind::worker_died, -32015},
    std::pair{error_kind::cancelled, -32016},        std::pair{error_kind::no_project, -32017},
    std::pair{error_kind::consent_needed, -32018},   std::pair{error_kind::daemon_lost, -32019},
    std::pair{error_kind::internal, internal_error},
};

// The members of a message that are used, as raw slices; empty: absent.
struct envelope {
    std::string_view jsonrpc;
    std::string_view id;
    std::string_view method;
    std::string_view params;
    std::string_view result;
    std::string_view error;
    const char* duplicate = nullptr;  // the name of a member that occurs more than once

    struct slot {
        const char* name;  // nullptr: the member is not used
        std::string_view* value;
    };
    slot slot_named(std::string_view key);
    void put(std::string_view key_raw, std::string_view value);
};

envelope::slot envelope::slot_named(std::string_view key) {
    switch (key.size()) {
        case 2:
            if (key == "id") return {"id", &id};
            break;
        case 5:
            if (key == "error") return {"error", &error};
            break;
        case 6:
            if (key == "method") return {"method", &method};
            if (key == "params") return {"params", &params};
            if (key == "result") return {"result", &result};
            break;
        case 7:
            if (key == "jsonrpc") return {"jsonrpc", &jsonrpc};
            break;
        default:
            break;
    }
    return {nullptr, nullptr};
}

void envelope::put(std::string_view key_raw, std::string_view value) {
    const std::string_view key = key_raw.substr(1, key_raw.size() - 2);
    const bool escaped = key.find('\\') != std::string_view::npos;
    const slot found = escaped ? slot_named(util::json_unquote(key_raw).value_or("")) : slot_named(key);
    if (found.name == nullptr) return;
    if (!found.value->empty()) duplicate = found.name;
    *found.value = value;
}

// nullopt: not JSON; scan.error() says why. The text begins with '{'.
std::optional<envelope> open_envelope(util::json_scanner& scan) {
    envelope found;
    if (!scan.take('{')) return std::nullopt;
    scan.enter();
    if (scan.peek() != '}') {
        for (;;) {
            if (!scan.key()) return std::nullopt;
            const std::string_view key = scan.last();
            if (!scan.value()) return std::nullopt;
            found.put(key, scan.last());
            if (scan.peek() == '}') break;
            if (!scan.take(',')) return std::nullopt;
        }
    }
    if (!scan.take('}') || !scan.end()) return std::nullopt;
    return found;
}

bool is_two_point_zero(std::string_view raw) {
    return raw == "\"2.0\"" || (raw.starts_with('"') && util::json_unquote(raw) == "2.0");
}

bool is_id(std::string_view raw) {
    return raw == "null" || raw.front() == '"' || raw.front() == '-' ||
           (raw.front() >= '0' && raw.front() <= '9');
}

rejection not_json(const util::json_error& error) {
    return {
        "null", parse_error,
        "cannot parse 'request': " + std::string(error.what) + " at byte " + std::to_string(error.offset)};
}

rejection not_request(std::string_view id, std::string_view reason) {
    return {std::string(id), invalid_request, "cannot accept 'request': " + std::string(reason)};
}

rejection no_object(std::string_view line, char first) {
    if (const auto error = util::validate_json(line, limits::json_depth_max)) return not_json(*error);
    return not_request("null", first == '[' ? "batches are not supported" : "it is no JSON object");
}

std::string unquoted(std::string_view raw) {
    const std::string_view inner = raw.substr(1, raw.size() - 2);
    if (inner.find('\\') == std::string_view::npos) return std::string(inner);
    return util::json_unquote(raw).value_or("");
}

// Removes newlines, which are white space between tokens in valid JSON: a worker may print its results on
// several lines.
std::string without_newlines(std::string_view raw) {
    return raw.find('\n') == std::string_view::npos ? std::string(raw) : util::json_compact(raw);
}

void append_raw(std::string& out, std::string_view raw) {
    if (raw.find('\n') == std::string_view::npos) {
        out += raw;
    } else {
        out += util::json_compact(raw);
    }
}

// The envelope of a message is assembled here and not by util::json_object: its members are always the same,
// and it goes around bytes that are only passed on.
constexpr std::string_view envelope_head = "{\"jsonrpc\":\"2.0\"";
constexpr std::string_view envelope_end = "}\n";

std::string error_line_of(std::string_view id, std::string_view error_raw) {
    std::string line(envelope_head);
    line.append(",\"id\":").append(id).append(",\"error\":").append(error_raw);
    return line.append(envelope_end);
}

std::string call_line(std::string_view id, std::string_view method, std::string_view params_raw) {
    std::string line;
    line.reserve(48 + id.size() + method.size() + params_raw.size());
    line += envelope_head;
    if (!id.empty()) line.append(",\"id\":").append(id);
    line += ",\"method\":";
    util::json_quote_to(line, method);
    if (!params_raw.empty()) {
        line += ",\"params\":";
        append_raw(line, params_raw);
    }
    return line.append(envelope_end);
}

}  // namespace

std::variant<request, rejection> parse_request(std::string_view line) {
    util::json_scanner scan(line, limits::json_depth_max);
    const char first = scan.peek();
    if (first != '{') return no_object(line, first);
    const auto found = open_envelope(scan);
    if (!found) return not_json(scan.error());

    const bool has_id = !found->id.empty() && is_id(found->id);
    const std::string_view id = has_id ? found->id : "null";
    if (found->duplicate != nullptr) {
        const bool is_id_twice = std::string_view(found->duplicate) == "id";
        return not_request(is_id_twice ? "null" : id,
                           "member '" + std::string(found->duplicate) + "' is there twice");
    }
    if (!is_two_point_zero(found->jsonrpc)) return not_request(id, "member 'jsonrpc' is not \"2.0\"");
    if (!found->id.empty() && !has_id) {
        return not_request("null", "member 'id' is no string, number or null");
    }
    if (!found->method.starts_with('"')) return not_request(id, "member 'method' is no string");
    if (!found->params.empty() && found->params.front() != '{' && found->params.front() != '[') {
        return not_request(id, "member 'params' is no object or array");
    }
    return request{std::string(found->id), unquoted(found->method), std::string(found->params)};
}

void append_result(std::string& out, std::string_view id, std::string_view result_raw) {
    out += envelope_head;
    out.append(",\"id\":").append(id).append(",\"result\":");
    append_raw(out, result_raw);
    out += envelope_end;
}

std::string result_line(std::string_view id, std::string_view result_raw) {
    std::string line;
    line.reserve(40 + id.size() + result_raw.size());
    append_result(line, id, result_raw);
    return line;
}

std::string error_line(std::string_view id, const failure& why) {
    util::json_object data;
    data.add("code", name_of(why.kind()));
    if (!why.hint().empty()) data.add("hint", why.hint());
    if (!why.detail().empty()) data.add("detail", util::raw_json{without_newlines(why.detail())});
    util::json_object error;
    error.add("code", code_of(why.kind())).add("message", why.what()).add("data", data);
    return error_line_of(id, std::move(error).text());
}

std::string error_line(std::string_view id, int code, std::string_view message) {
    util::json_object error;
    error.add("code", code).add("message", message);
    return error_line_of(id, std::move(error).text());
}

std::string notification_line(std::string_view method, std::string_view params_raw) {
    return call_line({}, method, params_raw);
}

std::string request_line(std::string_view id, std::string_view method, std::string_view params_raw) {
    return call_line(id, method, params_raw);
}

int code_of(error_kind kind) {
    const auto* row = std::ranges::find(failure_codes, kind, &std::pair<error_kind, int>::first);
    return row == failure_codes.end() ? internal_error : row->second;
}

incoming parse_incoming(std::string_view line) {
    using kind = incoming::kind;
    util::json_scanner scan(line, limits::json_depth_max);
    const auto found = open_envelope(scan);
    if (!found || found->duplicate != nullptr || !is_two_point_zero(found->jsonrpc)) return {};
    if (found->id.empty()) {
        if (!found->method.starts_with('"')) return {};
        return {kind::notification, {}, unquoted(found->method), std::string(found->params)};
    }
    if (!is_id(found->id) || !found->method.empty()) return {};
    if (found->result.empty() == found->error.empty()) return {};
    if (!found->result.empty()) {
        return {kind::result, std::string(found->id), {}, std::string(found->result)};
    }
    return {kind::error, std::string(found->id), {}, std::string(found->error)};
}

failure failure_from_error(std::string_view error_object_raw) {
    error_kind kind = error_kind::internal;
    std::string message = "cannot understand 'error': it has no message";
    std::string hint;
    std::string detail;
    const auto members = util::json_object_members(error_object_raw);
    for (const auto& [key_raw, key, value] : members.value_or(std::vector<util::json_member>{})) {
        if (key == "message") message = util::json_unquote(value).value_or(message);
        if (key == "code" &&
            (value == std::to_string(invalid_params) || value == std::to_string(method_not_found)))
            kind = error_kind::usage;
        if (key != "data") continue;
        const auto data = util::json_object_members(value);
        for (const auto& [data_key_raw, data_key, data_value] :
             data.value_or(std::vector<util::json_member>{})) {
            if (data_key == "code") {
                const auto name = util::json_unquote(data_value).value_or("");
                kind = error_kind_named(name).value_or(error_kind::internal);
            }
            if (data_key == "hint") hint = util::json_unquote(data_value).value_or("");
            if (data_key == "detail") detail = data_value;
        }
    }
    return failure(kind, message, std::move(hint), std::move(detail));
}

}  // namespace hob::ipc
