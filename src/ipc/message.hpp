#pragma once
// JSON-RPC 2.0 messages as lines (doc/protocol.md, sections 2 and 3). Ids, params and results stay raw JSON
// text: nothing here parses a number.

#include <string>
#include <string_view>
#include <variant>

#include "error.hpp"

namespace hob::ipc {

// JSON-RPC's own codes. The codes of failures are in message.cpp and doc/protocol.md section 3.3.
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;

struct request {
    std::string id;      // raw JSON text: a string, a number or null; empty: a notification
    std::string method;  // unescaped
    std::string params;  // raw JSON, an object or an array; empty if absent
};

// The error for a line that is no request.
struct rejection {
    std::string id;  // raw; "null" if it is not known
    int code;
    std::string message;
};

std::variant<request, rejection> parse_request(std::string_view line);

// Each returns a full line with '\n'. What is `raw` must be valid JSON: newlines between its tokens are
// removed, and all else is kept.
std::string result_line(std::string_view id, std::string_view result_raw);
std::string error_line(std::string_view id, const failure& why);
std::string error_line(std::string_view id, int code, std::string_view message);
std::string notification_line(std::string_view method, std::string_view params_raw);
std::string request_line(std::string_view id, std::string_view method, std::string_view params_raw);

// Appends what result_line() returns.
void append_result(std::string& out, std::string_view id, std::string_view result_raw);

// The `code` of an error for a kind of failure. Stable.
int code_of(error_kind kind);

// A message that a client has read.
struct incoming {
    enum class kind { result, error, notification, invalid };
    kind what = kind::invalid;
    std::string id;       // raw; empty in a notification
    std::string method;   // of a notification
    std::string payload;  // raw: the result, the error object, or the params ("" when absent)
};

// A request from the server (method and id) is `invalid`: the protocol has no such messages.
incoming parse_incoming(std::string_view line);

// Restores kind, message, hint and detail. An unknown kind becomes internal.
failure failure_from_error(std::string_view error_object_raw);

}  // namespace hob::ipc
