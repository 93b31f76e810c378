#include "ipc/hello.hpp"

#include "identity.hpp"
#include "ipc/message.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "util/json_writer.hpp"

namespace hob::ipc {
namespace {

std::string_view state_name(bool draining) { return draining ? "draining" : "running"; }

void member(std::string& out, std::string_view name) {
    out += out.empty() ? '{' : ',';
    out.append("\"").append(name).append("\":");
}

void add(std::string& out, std::string_view name, std::int64_t number) {
    member(out, name);
    out += std::to_string(number);
}

void add(std::string& out, std::string_view name, std::string_view text) {
    member(out, name);
    util::json_quote_to(out, text);
}

// Reads members of one object by name, and remembers whether all were there and of their type.
class reading {
public:
    explicit reading(std::string_view object_raw) : members_(util::json_object_members(object_raw)) {}

    explicit operator bool() const { return members_.has_value() && good_; }

    std::optional<std::string_view> find(std::string_view name) const {
        if (!members_) return std::nullopt;
        for (const auto& each : *members_) {
            if (each.key == name) return each.value;
        }
        return std::nullopt;
    }

    std::int64_t number(std::string_view name) { return take(name, util::json_integer); }
    std::string text(std::string_view name) { return take(name, util::json_unquote); }
    bool draining() {
        const std::string state = text("state");
        good_ = good_ && (state == "running" || state == "draining");
        return state == "draining";
    }

private:
    template <typename Value>
    Value take(std::string_view name, std::optional<Value> (*parse)(std::string_view)) {
        const auto raw = find(name);
        auto value = raw ? parse(*raw) : std::nullopt;
        good_ = good_ && value.has_value();
        return value.value_or(Value{});
    }

    std::optional<std::vector<util::json_member>> members_;
    bool good_ = true;
};

}  // namespace

std::string hello_line(const hello& greeting, const std::vector<std::string>& capabilities) {
    std::string params;
    add(params, "protocol", greeting.protocol);
    add(params, "version", greeting.version);
    add(params, "pid", greeting.pid);
    add(params, "instance", greeting.instance);
    add(params, "root", greeting.root);
    if (!util::is_utf8(greeting.root)) add(params, "root_b64", util::base64_encode(greeting.root));
    add(params, "state", state_name(greeting.draining));
    member(params, "capabilities");
    params += '[';
    for (const auto& each : capabilities) {
        if (params.back() != '[') params += ',';
        util::json_quote_to(params, each);
    }
    params += "]}";
    return notification_line(this_program.methods.hello, params);
}

std::optional<hello> parse_hello(std::string_view line) {
    const incoming message = parse_incoming(line);
    if (message.what != incoming::kind::notification || message.method != this_program.methods.hello)
        return std::nullopt;
    reading params(message.payload);
    hello greeting;
    greeting.protocol = static_cast<int>(params.number("protocol"));
    greeting.version = params.text("version");
    greeting.pid = static_cast<pid_t>(params.number("pid"));
    greeting.instance = params.text("instance");
    greeting.root = params.text("root");
    greeting.draining = params.draining();
    if (!params) return std::nullopt;
    if (const auto encoded = params.find("root_b64")) {
        auto bytes = util::base64_decode(util::json_unquote(*encoded).value_or("?"));
        if (!bytes) return std::nullopt;
        greeting.root = std::move(*bytes);
    }
    return greeting;
}

// Asked for more than anything else, so in few pieces.
std::string ping_result(const ping_reply& reply) {
    std::string result;
    result.reserve(128);
    result.append(R"({"pid":)").append(std::to_string(reply.pid)).append(R"(,"version":)");
    util::json_quote_to(result, reply.version);
    result.append(R"(,"protocol":)").append(std::to_string(reply.protocol));
    result.append(R"(,"state":")").append(state_name(reply.draining));
    result.append(R"(","uptime_ms":)").append(std::to_string(reply.uptime_ms)).append("}");
    return result;
}

std::optional<ping_reply> parse_ping_result(std::string_view result_raw) {
    reading members(result_raw);
    ping_reply reply;
    reply.pid = static_cast<pid_t>(members.number("pid"));
    reply.version = members.text("version");
    reply.protocol = static_cast<int>(members.number("protocol"));
    reply.draining = members.draining();
    reply.uptime_ms = members.number("uptime_ms");
    if (!members) return std::nullopt;
    return reply;
}

std::string shutdown_params(const shutdown_request& request) {
    util::json_object params;
    if (request.if_idle) {
        params.add("if_idle", true);
    } else {
        params.add("now", request.now).add("restart", request.restart);
    }
    return std::move(params).text();
}

shutdown_request parse_shutdown_params(std::string_view params_raw) {
    shutdown_request request;
    request.now = util::json_find_true(params_raw, {"now"});
    request.restart = util::json_find_true(params_raw, {"restart"});
    request.if_idle = util::json_find_true(params_raw, {"if_idle"});
    return request;
}

std::string shutdown_result(const shutdown_reply& reply) {
    std::string result;
    add(result, "state", "draining");
    add(result, "pid", reply.pid);
    return result += '}';
}

std::optional<shutdown_reply> parse_shutdown_result(std::string_view result_raw) {
    reading members(result_raw);
    shutdown_reply reply;
    reply.pid = static_cast<pid_t>(members.number("pid"));
    if (!members) return std::nullopt;
    return reply;
}

}  // namespace hob::ipc
