// JSON-RPC 2.0, one text a line. Params and results pass through as they are; only ids are ours.

#include <fmt/format.h>

#include <charconv>

#include "ipc/message.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

// Only what we wrote ourselves: digits, no sign, no leading zero, nothing around them.
std::optional<std::uint64_t> own_id(std::string_view raw) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), id);
    if (error != std::errc{} || end != raw.data() + raw.size() || (raw.size() > 1 && raw.front() == '0')) {
        return std::nullopt;
    }
    return id;
}

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
    for (char& c : message) {
        if (c == '\n' || c == '\r') c = ' ';  // a reason is one line
    }
    return fmt::format("the worker answered error {}{}{}", code, message.empty() ? "" : ": ", message);
}

struct fields {
    std::string_view version, id, method, params, result, error;
};

fields fields_of(const std::vector<util::json_member>& members) {
    fields found;
    for (const auto& member : members) {
        if (member.key == "jsonrpc") found.version = member.value;
        if (member.key == "id") found.id = member.value;
        if (member.key == "method") found.method = member.value;
        if (member.key == "params") found.params = member.value;
        if (member.key == "result") found.result = member.value;
        if (member.key == "error" && member.value != "null") found.error = member.value;
    }
    return found;
}

worker_message noise(std::string text) {
    worker_message unknown;
    unknown.text = std::move(text);
    return unknown;
}

class jsonrpc_codec final : public message_codec {
public:
    explicit jsonrpc_codec(cancel_form cancel) : cancel_(cancel) {}

    bool one_at_a_time() const override { return false; }

    std::string request(std::uint64_t id, std::string_view, std::string_view method,
                        std::string_view params_raw) const override {
        return with_params(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":)", method,
                           params_raw);
    }

    std::string notification(std::uint64_t, std::string_view, std::string_view method,
                             std::string_view params_raw) const override {
        return with_params(R"({"jsonrpc":"2.0","method":)", method, params_raw);
    }

    std::string cancellation(std::uint64_t id, std::uint64_t) const override {
        if (cancel_ == cancel_form::mcp) {
            return fmt::format(
                R"({{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{},"reason":"nobody waits for it any more"}}}})",
                id);
        }
        return fmt::format(R"({{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{}}}}})", id);
    }

    std::string refusal(const worker_message& request, std::uint64_t, std::string_view why) const override {
        return fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":{}}}}})",
                           request.id_raw, ipc::method_not_found,
                           util::json_quote(why.empty() ? "Method not found" : why));
    }

    std::string reply(const worker_message& request, std::string_view result_raw,
                      std::uint64_t) const override {
        return fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", request.id_raw, result_raw);
    }

    worker_message decode(std::string_view message) const override {
        const auto members = util::json_object_members(message);
        if (!members) return noise("it is not a JSON object");
        const fields have = fields_of(*members);
        worker_message got;
        if (!have.method.empty()) {
            auto method = util::json_unquote(have.method);
            if (!method) return noise("its method is not a string");
            got.what = have.id.empty() ? worker_message::kind::notification : worker_message::kind::request;
            got.method = std::move(*method);
            got.id_raw = have.id;
            got.payload = have.params;
            return got;
        }
        // Some servers leave out a result that is null. What is printed may have an id as well.
        const bool empty = have.result.empty() && have.error.empty();
        if (have.id.empty() || (empty && have.version != R"("2.0")")) return noise("it is not a message");
        got.id = own_id(have.id);
        got.id_raw = have.id;
        got.what = have.error.empty() ? worker_message::kind::result : worker_message::kind::error;
        got.payload = empty ? std::string_view("null") : have.error.empty() ? have.result : have.error;
        if (!have.error.empty()) got.text = error_text(have.error);
        return got;
    }

private:
    static std::string with_params(std::string text, std::string_view method, std::string_view params_raw) {
        util::json_quote_to(text, method);
        if (!params_raw.empty()) text.append(R"(,"params":)").append(params_raw);
        text += '}';
        return text;
    }

    cancel_form cancel_;
};

}  // namespace

std::unique_ptr<message_codec> make_jsonrpc_codec(cancel_form cancel) {
    return std::make_unique<jsonrpc_codec>(cancel);
}

}  // namespace hob::unit
