#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "unit/config/address.hpp"
#include "unit/config/kinds.hpp"
#include "unit/config/run_command.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view forms_hint =
    "one of tcp = PORT, http = \"http://…\", exec = COMMAND, log = \"pattern\", notify = true, delay = "
    "\"1s\"";

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

void read_notify(table_reader& reader) {
    bool notify = true;
    const tree_value* value = reader.boolean("notify", notify);
    if (value != nullptr && !notify)
        reader.reject("notify", value->where, "can only be true", "or leave it out");
}

void read_owner(table_reader& reader, ready_spec& spec) {
    const choice<bool> owners[] = {{"service", false}, {"any", true}};
    const tree_value* value = reader.one_of("owner", spec.any_owner, owners);
    if (value == nullptr || spec.form == ready_form::tcp || spec.form == ready_form::http) return;
    reader.reject("owner", value->where, "needs tcp or http", "it says whose port that may be");
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
    read_address(reader, "tcp", spec.host, spec.port);
    read_http(reader, spec);
    spec.exec = read_command(reader, "exec", name);
    read_pattern(reader, "log", spec.log_pattern, 0);
    read_notify(reader);
    read_owner(reader, spec);
    reader.duration("delay", spec.delay);
    reader.duration("timeout", spec.timeout, milliseconds(1));
    // An unknown key is the better message: it was probably meant to be the form.
    if (reader.finish().empty() && spec.form == ready_form::started) {
        service.reject("ready", table->where, "does not say when the service is ready", forms_hint);
    }
    return spec;
}

}  // namespace hob::unit
