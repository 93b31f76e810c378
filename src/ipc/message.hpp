#pragma once
// JSON-RPC 2.0 messages as lines (doc/protocol.md, sections 2 and 3). Ids, params and results stay raw JSON
// text from end to end: nothing here parses a number.

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

// A line that is no request, and the error to answer it with.
struct rejection {
    std::string id;  // raw; "null" where it could not be told
    int code;
    std::string message;
};

std::variant<request, rejection> parse_request(std::string_view line);

// Every maker returns a full line with '\n'. What is `raw` must be valid JSON; newlines between
// its tokens are dropped, nothing else is touched.
std::string result_line(std::string_view id, std::string_view result_raw);
std::string error_line(std::string_view id, const failure& why);
std::string error_line(std::string_view id, int code, std::string_view message);
std::string notification_line(std::string_view method, std::string_view params_raw);
std::string request_line(std::string_view id, std::string_view method, std::string_view params_raw);

// As result_line, appended.
void append_result(std::string& out, std::string_view id, std::string_view result_raw);

// The number that stands for a kind of failure in an error's `code`. Stable.
int code_of(error_kind kind);

// What a client reads.
struct incoming {
    enum class kind { result, error, notification, invalid };
    kind what = kind::invalid;
    std::string id;       // raw; empty in a notification
    std::string method;   // of a notification
    std::string payload;  // raw: the result, the error object, or the params ("" when absent)
};

// A request from the server (method and id) is `invalid`: the protocol has none.
incoming parse_incoming(std::string_view line);

// Restores kind, message, hint and detail; a kind that is not known becomes internal.
failure failure_from_error(std::string_view error_object_raw);

}  // namespace hob::ipc
