#include <arpa/inet.h>
#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "unit/config_kinds.hpp"
#include "unit/config_run.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view forms_hint =
    "one of tcp = PORT, http = \"http://…\", exec = COMMAND, log = \"pattern\", notify = true, delay = "
    "\"1s\"";

// hob is a static program without a resolver, and a probe that waits for DNS says nothing about the service.
bool is_address(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return host == "localhost" || ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// "HOST:PORT" or "[HOST]:PORT" into its parts; a missing port stays `port`. False: neither.
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

void read_tcp(table_reader& reader, ready_spec& spec) {
    const tree_member* member = reader.take("tcp");
    if (member == nullptr) return;
    const tree_value& value = member->value;
    spec.host = "127.0.0.1";
    if (value.kind == value_kind::integer) {
        if (value.integer < 1 || value.integer > 65535) {
            reader.reject("tcp", value.where,
                          fmt::format("must be a port from 1 to 65535, not {}", value.integer));
        } else {
            spec.port = static_cast<std::uint16_t>(value.integer);
        }
        return;
    }
    int port = 0;
    if (value.kind != value_kind::string) {
        reader.reject("tcp", value.where,
                      fmt::format("must be a port or \"ADDRESS:PORT\", not {}", described(value.kind)));
    } else if (!split_address(value.text, spec.host, port)) {
        reader.reject(
            "tcp", value.where, fmt::format("is not \"ADDRESS:PORT\": '{}'", value.text),
            "ADDRESS is numeric or localhost: \"127.0.0.1:5432\", \"[::1]:5432\", \"localhost:5432\"");
    } else {
        spec.port = static_cast<std::uint16_t>(port);
    }
}

void check_url(table_reader& reader, std::string_view key, const tree_value& value, ready_spec& spec) {
    constexpr std::string_view scheme = "http://";
    const std::string& url = value.text;
    std::string host;
    int port = 80;
    bool good = url.starts_with(scheme);
    for (const char c : url)
        good = good && static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#';
    const std::string_view rest = good ? std::string_view(url).substr(scheme.size()) : std::string_view();
    good = good && split_address(rest.substr(0, rest.find_first_of("/?")), host, port);
    if (good) {
        spec.url = url;
        return;
    }
    reader.reject(
        key, value.where, fmt::format("is not a URL that hob can ask: '{}'", url),
        "http://ADDRESS[:PORT][/PATH], ADDRESS numeric or localhost: \"http://localhost:8080/health\"");
}

void read_http(table_reader& reader, ready_spec& spec) {
    const tree_member* member = reader.take("http");
    if (member == nullptr) return;
    const tree_value& value = member->value;
    if (value.kind == value_kind::string) {
        check_url(reader, "http", value, spec);
        return;
    }
    if (value.kind != value_kind::table) {
        reader.reject(
            "http", value.where,
            fmt::format("must be a URL or {{ url = \"…\", status = 200 }}, not {}", described(value.kind)));
        return;
    }
    table_reader table(value, subtitle(reader, "http"), reader.notes());
    const tree_value* url = table.take("url", value_kind::string, "\"http://localhost:8080/\"");
    if (url != nullptr) check_url(table, "url", *url, spec);
    int status = 200;
    if (table.integer("status", status, 100, 599) != nullptr) spec.status = status;
    const bool misspelt = !table.finish().empty();
    if (url == nullptr && !misspelt &&
        std::none_of(value.members.begin(), value.members.end(),
                     [](const auto& m) { return m.key == "url"; })) {
        reader.notes().error(value.where, fmt::format("{} has no 'url'", table.title()));
    }
}

void read_log(table_reader& reader, ready_spec& spec) {
    const tree_value* value = reader.text("log", spec.log_pattern, "\"listening on\"");
    if (value == nullptr) return;
    regex_t compiled;
    const int error = ::regcomp(&compiled, spec.log_pattern.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error == 0) {
        ::regfree(&compiled);
        return;
    }
    std::array<char, 128> reason{};
    ::regerror(error, &compiled, reason.data(), reason.size());
    reader.reject("log", value->where,
                  fmt::format("is not a regular expression: {}: '{}'", reason.data(), spec.log_pattern));
}

void read_notify(table_reader& reader) {
    bool notify = true;
    const tree_value* value = reader.boolean("notify", notify);
    if (value != nullptr && !notify)
        reader.reject("notify", value->where, "can only be true", "or leave it out");
}

// Which of the forms is there; a second one is noted.
ready_form form_of(const tree_value& table, const table_reader& reader) {
    constexpr std::array forms{ready_form::tcp, ready_form::http,   ready_form::exec,
                               ready_form::log, ready_form::notify, ready_form::delay};
    ready_form found = ready_form::started;
    for (const auto& member : table.members) {
        for (const ready_form form : forms) {
            if (member.key != name_of(form)) continue;
            if (found != ready_form::started) {
                reader.notes().error(
                    member.where,
                    fmt::format("{} has both '{}' and '{}'", reader.title(), name_of(found), member.key),
                    forms_hint);
            }
            found = form;
        }
    }
    return found;
}

}  // namespace

ready_spec read_ready(table_reader& service, std::string_view name) {
    ready_spec spec;
    const tree_value* table = subtable(service, "ready", "{ tcp = 5432 }");
    if (table == nullptr) return spec;
    table_reader reader(*table, subtitle(service, "ready"), service.notes());
    spec.form = form_of(*table, reader);
    read_tcp(reader, spec);
    read_http(reader, spec);
    spec.exec = read_command(reader, "exec", name);
    read_log(reader, spec);
    read_notify(reader);
    reader.duration("delay", spec.delay);
    reader.duration("timeout", spec.timeout, milliseconds(1));
    // An unknown key is the better message: it was probably meant to be the form.
    if (reader.finish().empty() && spec.form == ready_form::started) {
        service.reject("ready", table->where, "does not say when the service is ready", forms_hint);
    }
    return spec;
}

}  // namespace hob::unit
