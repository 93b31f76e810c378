// JSON-RPC 2.0 messages. Params and results pass through unchanged; only ids are ours.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ipc/message.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/json/json_cut.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

using util::json_object;
using util::raw_json;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string error_text(std::string_view error_raw) {
    const auto members = util::json_object_members(error_raw);
    if (!members) return fmt::format("the worker answered error {}", error_raw);
    std::string_view code = "without a code";
    std::string message;
    for (const auto& member : *members) {
        if (member.key == "code") code = member.value;
        if (member.key == "message")
            message = util::json_unquote(member.value).value_or(std::string(member.value));
    }
    std::string text = fmt::format("the worker answered error {}", code);
    if (!message.empty()) text += ": " + one_line(std::move(message));
    return text;
}

struct message_members {
    std::string_view version, id, method, params, result, error;
};

message_members read_members(const std::vector<util::json_member>& members) {
    message_members read;
    for (const auto& member : members) {
        if (member.key == "jsonrpc") read.version = member.value;
        if (member.key == "id") read.id = member.value;
        if (member.key == "method") read.method = member.value;
        if (member.key == "params") read.params = member.value;
        if (member.key == "result") read.result = member.value;
        if (member.key == "error" && member.value != "null") read.error = member.value;
    }
    return read;
}

worker_message failed_answer(std::optional<std::uint64_t> id, std::string_view id_raw) {
    worker_message answer;
    answer.type = worker_message::kind::error;
    answer.id = id;
    answer.id_raw = id_raw;
    return answer;
}

worker_message noise(std::string text) {
    worker_message message;
    message.text = std::move(text);
    return message;
}

worker_message decode_call(const message_members& members) {
    auto method = util::json_unquote(members.method);
    if (!method) return noise("its method is not a string");
    worker_message call;
    call.type = members.id.empty() ? worker_message::kind::notification : worker_message::kind::request;
    call.method = std::move(*method);
    call.id_raw = members.id;
    call.payload = members.params;
    return call;
}

worker_message decode_answer(const message_members& members) {
    const bool failed = !members.error.empty();
    const bool empty = members.result.empty() && !failed;
    // Some servers leave out a null result, and some the null id of an error. JSON that a program prints may
    // have an id or an error as well, but no version.
    const bool incomplete = empty || members.id.empty();
    const bool versioned = members.version == R"("2.0")";
    if ((members.id.empty() && !failed) || (incomplete && !versioned)) return noise("it is not a message");
    worker_message answer;
    answer.type = failed ? worker_message::kind::error : worker_message::kind::result;
    answer.id = own_id(members.id);
    answer.id_raw = members.id;
    answer.payload = empty ? std::string_view("null") : failed ? members.error : members.result;
    if (failed) answer.text = error_text(members.error);
    return answer;
}

// The members at the two ends of an object whose middle cannot be read.
std::vector<util::json_member> members_at_ends(std::string_view head, std::string_view tail) {
    auto members = util::json_leading_members(head);
    for (auto& member : util::json_trailing_members(tail))
        members.push_back(std::move(member));
    return members;
}

// An answer that is not UTF-8 fails its call. Other text that is no object is noise.
worker_message decode_unreadable(std::string_view message) {
    const auto first = message.find_first_not_of(" \t\r");
    const bool is_object = first != std::string_view::npos && message[first] == '{';
    if (!is_object || util::is_utf8(message)) return noise("it is not a JSON object");
    const auto members = members_at_ends(message, message);
    const message_members read = read_members(members);
    if (!read.method.empty() || read.id.empty()) return noise("it is not UTF-8");
    worker_message answer = failed_answer(own_id(read.id), read.id);
    answer.text = "its reply is not UTF-8";
    return answer;
}

json_object versioned() {
    json_object message;
    message.add("jsonrpc", "2.0");
    return message;
}

std::string with_method(json_object message, std::string_view method, std::string_view params_raw) {
    message.add("method", method);
    if (!params_raw.empty()) message.add("params", raw_json{params_raw});
    return std::move(message).text();
}

class jsonrpc_codec final : public message_codec {
public:
    explicit jsonrpc_codec(cancel_form cancel) : cancel_(cancel) {}

    std::string request(std::uint64_t id, std::string_view, std::string_view method,
                        std::string_view params_raw) const override {
        json_object message = versioned();
        message.add("id", id);
        return with_method(std::move(message), method, params_raw);
    }

    std::string notification(std::uint64_t, std::string_view, std::string_view method,
                             std::string_view params_raw) const override {
        return with_method(versioned(), method, params_raw);
    }

    std::string cancellation(std::uint64_t id, std::uint64_t) const override {
        json_object params;
        if (cancel_ == cancel_form::mcp) {
            params.add("requestId", id).add("reason", "nobody waits for it any more");
            return with_method(versioned(), "notifications/cancelled", std::move(params).text());
        }
        params.add("id", id);
        return with_method(versioned(), "$/cancelRequest", std::move(params).text());
    }

    std::string refusal(const worker_message& request, std::uint64_t, std::string_view why) const override {
        json_object error;
        error.add("code", ipc::method_not_found).add("message", why.empty() ? "Method not found" : why);
        json_object message = versioned();
        message.add("id", raw_json{request.id_raw}).add("error", error);
        return std::move(message).text();
    }

    std::string reply(const worker_message& request, std::string_view result_raw,
                      std::uint64_t) const override {
        json_object message = versioned();
        message.add("id", raw_json{request.id_raw}).add("result", raw_json{result_raw});
        return std::move(message).text();
    }

    // Some programs begin their output with a byte order mark.
    std::vector<std::string_view> messages(std::string_view frame) const override {
        if (frame.starts_with(byte_order_mark)) frame.remove_prefix(byte_order_mark.size());
        const auto first = frame.find_first_not_of(" \t\r");
        if (first == std::string_view::npos || frame[first] != '[') return {frame};
        auto batch = util::json_array_elements(frame);
        return batch && !batch->empty() ? std::move(*batch) : std::vector<std::string_view>{frame};
    }

    worker_message decode_oversized(std::string_view head, std::string_view tail) const override {
        const auto members = members_at_ends(head, tail);
        const message_members read = read_members(members);
        if (!read.method.empty()) return decode_call(read);
        return read.id.empty() ? message_codec::decode_oversized(head, tail)
                               : oversized_answer(own_id(read.id), read.id);
    }

    worker_message decode(std::string_view message) const override {
        const auto members = util::json_object_members(message);
        if (!members) return decode_unreadable(message);
        const message_members read = read_members(*members);
        return read.method.empty() ? decode_answer(read) : decode_call(read);
    }

private:
    cancel_form cancel_;
};

}  // namespace

std::unique_ptr<message_codec> make_jsonrpc_codec(cancel_form cancel) {
    return std::make_unique<jsonrpc_codec>(cancel);
}

worker_message message_codec::decode_oversized(std::string_view, std::string_view) const {
    return noise("it is longer than 16 MiB");
}

worker_message oversized_answer(std::optional<std::uint64_t> id, std::string_view id_raw) {
    worker_message answer = failed_answer(id, id_raw);
    answer.text = "its reply is longer than 16 MiB";
    return answer;
}

std::optional<std::uint64_t> own_id(std::string_view raw) {
    if (raw.size() > 1 && raw.front() == '"') raw = raw.substr(1, raw.size() - 2);
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), id);
    std::string_view rest(end, static_cast<std::size_t>(raw.data() + raw.size() - end));
    if (rest.size() > 1 && rest.front() == '.') {
        rest.remove_prefix(std::min(rest.find_first_not_of('0', 1), rest.size()));
    }
    const bool leading_zero = end - raw.data() > 1 && raw.front() == '0';
    if (error != std::errc{} || !rest.empty() || leading_zero) return std::nullopt;
    return id;
}

std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
}

}  // namespace hob::unit
