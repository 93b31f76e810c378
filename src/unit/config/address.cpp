#include "unit/config/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

#include "unit/config/expansion.hpp"
#include "unit/config/key_context.hpp"
#include "util/regex.hpp"

namespace hob::unit {
namespace {

// Names are not resolved: hob is linked statically and has no resolver.
bool is_address(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return host == "localhost" || ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

bool split_address(std::string_view text, std::string& host, int& port) {
    std::string_view port_text;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return false;
        host = text.substr(1, end - 1);
        port_text = text.substr(end + 1);
        if (host.find(':') == std::string::npos) return false;
    } else {
        const std::size_t colon = text.find(':');
        host = text.substr(0, colon);
        port_text = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    }
    if (!is_address(host)) return false;
    if (port_text.empty()) return port > 0;
    port_text.remove_prefix(1);
    const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    return error == std::errc{} && end == port_text.data() + port_text.size() && port >= 1 && port <= 65535;
}

bool parse_address(std::string_view text, std::string& host, std::uint16_t& port) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool alone = error == std::errc{} && end == text.data() + text.size();
    if (alone) host = "localhost";  // of both families
    if (!alone && !split_address(text, host, number)) return false;
    if (number < 1 || number > 65535) return false;
    port = static_cast<std::uint16_t>(number);
    return true;
}

void read_address(const key_context& at, std::string& host, std::uint16_t& port, std::string& written) {
    const tree_value& value = at.value;
    host = "localhost";
    if (value.kind == value_kind::integer) {
        if (value.integer < 1 || value.integer > 65535) {
            at.table.reject(at.key, value.where,
                            fmt::format("must be a port from 1 to 65535, not {}", value.integer));
        } else {
            port = static_cast<std::uint16_t>(value.integer);
        }
        return;
    }
    int number = 0;
    if (value.kind != value_kind::string) {
        at.table.reject(at.key, value.where,
                        fmt::format("must be a port or \"ADDRESS:PORT\", not {}", described(value.kind)));
    } else if (has_reference(value.text)) {
        at.table.read(at.key, value, written);
    } else if (!split_address(value.text, host, number)) {
        at.table.reject(
            at.key, value.where, fmt::format("is not \"ADDRESS:PORT\": '{}'", value.text),
            "ADDRESS is numeric or localhost: \"127.0.0.1:5432\", \"[::1]:5432\", \"localhost:5432\"");
    } else {
        port = static_cast<std::uint16_t>(number);
    }
}

bool is_usable_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return false;
    for (const char c : url) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#') return false;
    }
    url.remove_prefix(scheme.size());
    std::string host;
    int port = 80;
    return split_address(url.substr(0, url.find_first_of("/?")), host, port);
}

void read_pattern(const key_context& at, std::string& pattern, std::size_t groups) {
    if (!at.table.read(at.key, at.value, pattern)) return;
    if (const auto fault = util::find_regex_fault(pattern, util::bracket_backslash::refused)) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("is not a regular expression: {}: '{}'", fault->reason, pattern),
                        fault->hint);
        return;
    }
    if (util::regex(pattern).groups() < groups) {
        at.table.reject(at.key, at.value.where, fmt::format("has no group for the address: '{}'", pattern),
                        at.key.example);
    } else if (groups > 0 && util::has_lazy_repetition(pattern)) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("asks for a short match, but the longest is taken: '{}'", pattern),
                        "exclude what follows, as in ([^ ]+)");
    }
}

}  // namespace hob::unit
