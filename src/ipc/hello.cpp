#include "ipc/hello.hpp"

#include "identity.hpp"
#include "ipc/message.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::ipc {
namespace {

std::string_view state_name(bool draining) { return draining ? "draining" : "running"; }

// Reads members of one object by name. False if one was missing or of another type.
class object_reader {
public:
    explicit object_reader(std::string_view object_raw) : members_(util::json_object_members(object_raw)) {}

    explicit operator bool() const { return members_.has_value() && good_; }

    std::optional<std::string_view> find(std::string_view name) const {
        if (!members_) return std::nullopt;
        for (const auto& member : *members_) {
            if (member.key == name) return member.value;
        }
        return std::nullopt;
    }

    std::size_t size() const { return members_ ? members_->size() : 0; }

    std::int64_t number(std::string_view name) { return take(name, util::json_integer); }
    std::string text(std::string_view name) { return take(name, util::json_unquote); }
    bool draining() {
        const std::string state = text("state");
        const bool is_draining = state == state_name(true);
        good_ = good_ && (is_draining || state == state_name(false));
        return is_draining;
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

// protocol, version, pid, instance, root, state and capabilities. A greeting rarely has more, and is then not
// searched for it.
constexpr std::size_t usual_members = 7;

// False: a member is malformed.
bool read_rare_members(const object_reader& params, hello& greeting) {
    if (const auto changed = params.find("config_state"))
        greeting.config_state = util::json_unquote(*changed).value_or("");
    if (const auto encoded = params.find("root_b64")) {
        auto bytes = util::base64_decode(util::json_unquote(*encoded).value_or("?"));
        if (!bytes) return false;
        greeting.root = std::move(*bytes);
    }
    return true;
}

std::optional<hello> read_params(std::string_view params_raw) {
    object_reader params(params_raw);
    hello greeting;
    greeting.protocol = static_cast<int>(params.number("protocol"));
    greeting.version = params.text("version");
    greeting.pid = static_cast<pid_t>(params.number("pid"));
    greeting.instance = params.text("instance");
    greeting.root = params.text("root");
    greeting.draining = params.draining();
    if (!params) return std::nullopt;
    const bool good = params.size() <= usual_members || read_rare_members(params, greeting);
    return good ? std::optional(std::move(greeting)) : std::nullopt;
}

// The params of a line that is written as hello_line() does; nullopt: it is not. They are not checked. A
// client reads its greeting before anything else: so the line is scanned once.
std::optional<std::string_view> params_of_usual(std::string_view line) {
    constexpr std::string_view nothing = "null";
    const std::string frame = notification_line(this_program.methods.hello, nothing);
    const std::size_t at = frame.rfind(nothing);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (!line.starts_with(std::string_view(frame).substr(0, at)) || !line.ends_with('}')) return std::nullopt;
    return line.substr(at, line.size() - at - 1);
}

}  // namespace

std::string hello_line(const hello& greeting, const std::vector<std::string>& capabilities) {
    util::json_object params;
    params.add("protocol", greeting.protocol).add("version", greeting.version).add("pid", greeting.pid);
    params.add("instance", greeting.instance).add("root", greeting.root);
    if (!util::is_utf8(greeting.root)) params.add("root_b64", util::base64_encode(greeting.root));
    params.add("state", state_name(greeting.draining));
    if (!greeting.config_state.empty()) params.add("config_state", greeting.config_state);
    util::json_array methods;
    for (const auto& method : capabilities)
        methods.add(method);
    params.add("capabilities", methods);
    return notification_line(this_program.methods.hello, std::move(params).text());
}

std::optional<hello> parse_hello(std::string_view line) {
    const auto usual = params_of_usual(line);
    auto greeting = usual ? read_params(*usual) : std::nullopt;
    if (greeting) return greeting;
    const incoming message = parse_incoming(line);
    if (message.what != incoming::kind::notification || message.method != this_program.methods.hello)
        return std::nullopt;
    return read_params(message.payload);
}

std::string ping_result(const ping_reply& reply) {
    util::json_object result;
    result.add("pid", reply.pid).add("version", reply.version).add("protocol", reply.protocol);
    result.add("state", state_name(reply.draining)).add("uptime_ms", reply.uptime_ms);
    return std::move(result).text();
}

std::optional<ping_reply> parse_ping_result(std::string_view result_raw) {
    object_reader members(result_raw);
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
    util::json_object result;
    result.add("state", state_name(true)).add("pid", reply.pid);
    return std::move(result).text();
}

std::optional<shutdown_reply> parse_shutdown_result(std::string_view result_raw) {
    object_reader members(result_raw);
    shutdown_reply reply;
    reply.pid = static_cast<pid_t>(members.number("pid"));
    if (!members) return std::nullopt;
    return reply;
}

}  // namespace hob::ipc
