// The debug adapter protocol: what others call params is `arguments`, a result is a `body`, and every
// message, answers included, has a number of its own.

#include <fmt/format.h>

#include "unit/protocol/message_codec.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

worker_message noise(const char* text) {
    worker_message unknown;
    unknown.text = text;
    return unknown;
}

std::string one_line(std::string text) {
    for (char& c : text) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    return text;
}

// The adapter's words for people: its format with the variables put in, else the short message.
std::string error_text(std::string_view message) {
    const std::string_view error = util::json_find(message, {"body", "error"});
    std::string text = util::json_find_string(error, {"format"}).value_or("");
    const auto variables = util::json_object_members(util::json_find(error, {"variables"}));
    if (variables) {
        for (const auto& variable : *variables) {
            const std::string mark = "{" + variable.key + "}";
            const std::string value = util::json_display_text(variable.value);
            for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
                text.replace(at, mark.size(), value);
        }
    }
    if (text.empty()) text = util::json_find_string(message, {"message"}).value_or("");
    return text.empty() ? "the worker answered an error" : "the worker answered an error: " + one_line(text);
}

class dap_codec final : public message_codec {
public:
    bool one_at_a_time() const override { return false; }
    bool numbers_notifications() const override { return true; }

    std::string request(std::uint64_t id, std::string_view, std::string_view method,
                        std::string_view params_raw) const override {
        std::string text = fmt::format(R"({{"seq":{},"type":"request","command":)", id);
        util::json_quote_to(text, method);
        if (!params_raw.empty()) text.append(R"(,"arguments":)").append(params_raw);
        return text + "}";
    }

    std::string notification(std::uint64_t fresh, std::string_view, std::string_view method,
                             std::string_view params_raw) const override {
        return request(fresh, {}, method, params_raw);
    }

    std::string cancellation(std::uint64_t id, std::uint64_t fresh) const override {
        if (!may_cancel_) return {};
        return fmt::format(
            R"({{"seq":{},"type":"request","command":"cancel","arguments":{{"requestId":{}}}}})", fresh, id);
    }

    std::string refusal(const worker_message& request, std::uint64_t fresh,
                        std::string_view why) const override {
        const std::string body =
            why.empty() ? std::string()
                        : fmt::format(R"(,"body":{{"error":{{"id":1,"format":{}}}}})", util::json_quote(why));
        return fmt::format(
            R"({{"seq":{},"type":"response","request_seq":{},"success":false,"command":{},"message":{}{}}})",
            fresh, request.id_raw, util::json_quote(request.method),
            why.empty() ? R"("notSupported")" : util::json_quote(why), body);
    }

    std::string reply(const worker_message& request, std::string_view result_raw,
                      std::uint64_t fresh) const override {
        return fmt::format(
            R"({{"seq":{},"type":"response","request_seq":{},"success":true,"command":{},"body":{}}})", fresh,
            request.id_raw, util::json_quote(request.method), result_raw);
    }

    worker_message decode(std::string_view message) const override {
        const auto type = util::json_find_string(message, {"type"});
        if (!type) return noise("it is not a message");
        worker_message got;
        if (*type == "response") return response(message);
        const bool request = *type == "request";
        auto name = util::json_find_string(message, {request ? "command" : "event"});
        if (!name || (!request && *type != "event")) return noise("it is not a message");
        got.what = request ? worker_message::kind::request : worker_message::kind::notification;
        got.method = std::move(*name);
        got.id_raw = request ? util::json_find(message, {"seq"}) : std::string_view();
        if (request && got.id_raw.empty()) got.id_raw = "0";  // lldb-vscode numbers none of its requests
        got.payload = util::json_find(message, {request ? "arguments" : "body"});
        if (request && !util::json_integer(got.id_raw)) return noise("its seq is no number");
        return got;
    }

    void learn(std::string_view capabilities) override {
        may_cancel_ = util::json_find_true(capabilities, {"supportsCancelRequest"});
    }

private:
    static worker_message response(std::string_view message) {
        worker_message got;
        got.id_raw = util::json_find(message, {"request_seq"});
        const auto id = util::json_integer(got.id_raw);
        if (!id) return noise("its request_seq is no number");
        if (*id > 0) got.id = static_cast<std::uint64_t>(*id);
        const std::string_view success = util::json_find(message, {"success"});
        if (success == "true") {
            got.what = worker_message::kind::result;
            const std::string_view body = util::json_find(message, {"body"});
            got.payload = body.empty() ? "null" : body;
            return got;
        }
        got.what = worker_message::kind::error;
        got.payload = message;
        got.text = error_text(message);
        return got;
    }

    bool may_cancel_ = false;
};

}  // namespace

std::unique_ptr<message_codec> make_dap_codec() { return std::make_unique<dap_codec>(); }

}  // namespace hob::unit
