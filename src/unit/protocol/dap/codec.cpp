// Messages of the debug adapter protocol. Params are called `arguments`, a result is a `body`, and every
// message has a number of its own, answers included.

#include "unit/protocol/dap/dap.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/json/json_cut.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

using util::json_object;
using util::raw_json;

worker_message noise(const char* text) {
    worker_message message;
    message.text = text;
    return message;
}

constexpr std::size_t error_text_max = 16u << 10;

// What is longer is left as it is: variables can make any length of a short format.
std::string with_variables(std::string text, std::string_view variables) {
    const auto members = util::json_object_members(variables);
    for (const auto& variable : members.value_or(std::vector<util::json_member>())) {
        const std::string mark = "{" + variable.key + "}";
        const std::string value = util::json_display_text(variable.value);
        for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
            if (text.size() + value.size() > error_text_max) return text;
            text.replace(at, mark.size(), value);
        }
    }
    return text;
}

// The adapter's text for people: its format with the variables inserted, else the short message.
std::string error_text(std::string_view message) {
    const std::string_view error = util::json_find(message, {"body", "error"});
    std::string text = with_variables(util::json_find_string(error, {"format"}).value_or(""),
                                      util::json_find(error, {"variables"}));
    if (text.empty()) text = util::json_find_string(message, {"message"}).value_or("");
    return text.empty() ? "the worker answered an error"
                        : "the worker answered an error: " + one_line(std::move(text));
}

json_object message_of_type(std::uint64_t seq, std::string_view type) {
    json_object message;
    message.add("seq", seq).add("type", type);
    return message;
}

json_object response_to(const worker_message& request, std::uint64_t seq, bool success) {
    json_object message = message_of_type(seq, "response");
    message.add("request_seq", raw_json{request.id_raw})
        .add("success", success)
        .add("command", request.method);
    return message;
}

worker_message decode_response(std::string_view message) {
    worker_message response;
    response.id_raw = util::json_find(message, {"request_seq"});
    if (response.id_raw.empty()) return noise("it has no request_seq");
    response.id = own_id(response.id_raw);
    if (util::json_find_true(message, {"success"})) {
        response.type = worker_message::kind::result;
        const std::string_view body = util::json_find(message, {"body"});
        response.payload = body.empty() ? "null" : body;
        return response;
    }
    response.type = worker_message::kind::error;
    response.payload = message;
    response.text = error_text(message);
    return response;
}

worker_message decode_request(std::string_view message) {
    auto method = util::json_find_string(message, {"command"});
    if (!method) return noise("it is not a message");
    worker_message request;
    request.type = worker_message::kind::request;
    request.method = std::move(*method);
    request.payload = util::json_find(message, {"arguments"});
    request.id_raw = util::json_find(message, {"seq"});
    if (request.id_raw.empty()) request.id_raw = "0";  // lldb-vscode does not number its requests
    if (!util::json_integer(request.id_raw)) return noise("its seq is no number");
    return request;
}

worker_message decode_event(std::string_view message) {
    auto name = util::json_find_string(message, {"event"});
    if (!name) return noise("it is not a message");
    worker_message event;
    event.type = worker_message::kind::notification;
    event.method = std::move(*name);
    event.payload = util::json_find(message, {"body"});
    return event;
}

class dap_codec final : public message_codec {
public:
    std::string request(std::uint64_t id, std::string_view, std::string_view method,
                        std::string_view params_raw) const override {
        json_object message = message_of_type(id, "request");
        message.add("command", method);
        if (!params_raw.empty()) message.add("arguments", raw_json{params_raw});
        return std::move(message).text();
    }

    std::string notification(std::uint64_t fresh, std::string_view unit, std::string_view method,
                             std::string_view params_raw) const override {
        return request(fresh, unit, method, params_raw);
    }

    std::string cancellation(std::uint64_t id, std::uint64_t fresh) const override {
        if (!supports_cancel_) return {};
        json_object arguments;
        arguments.add("requestId", id);
        return request(fresh, {}, "cancel", std::move(arguments).text());
    }

    std::string refusal(const worker_message& request, std::uint64_t fresh,
                        std::string_view why) const override {
        json_object message = response_to(request, fresh, false);
        message.add("message", why.empty() ? "notSupported" : why);
        if (!why.empty()) {
            json_object error;
            error.add("id", 1).add("format", why);
            json_object body;
            body.add("error", error);
            message.add("body", body);
        }
        return std::move(message).text();
    }

    std::string reply(const worker_message& request, std::string_view result_raw,
                      std::uint64_t fresh) const override {
        json_object message = response_to(request, fresh, true);
        message.add("body", raw_json{result_raw});
        return std::move(message).text();
    }

    worker_message decode(std::string_view message) const override {
        const auto type = util::json_find_string(message, {"type"});
        if (type == "response") return decode_response(message);
        if (type == "request") return decode_request(message);
        if (type == "event") return decode_event(message);
        return noise("it is not a message");
    }

    worker_message decode_oversized(std::string_view head, std::string_view tail) const override {
        auto members = util::json_leading_members(head);
        for (auto& member : util::json_trailing_members(tail))
            members.push_back(std::move(member));
        for (const auto& member : members) {
            const auto id = member.key == "request_seq" ? own_id(member.value) : std::nullopt;
            if (id) return oversized_answer(*id, member.value);
        }
        return message_codec::decode_oversized(head, tail);
    }

    void set_capabilities(std::string_view capabilities) override {
        supports_cancel_ = util::json_find_true(capabilities, {"supportsCancelRequest"});
    }

private:
    bool supports_cancel_ = false;
};

}  // namespace

std::unique_ptr<message_codec> make_dap_codec() { return std::make_unique<dap_codec>(); }

}  // namespace hob::unit
