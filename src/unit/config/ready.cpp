// `ready` and `health` of a service. Each kind of readiness is an alternative below `ready` in the table of
// keys, under the word of its ready_form; its parser stands here and fills in the members of ready_spec that
// its probe uses.
#include <fmt/format.h>

#include <algorithm>

#include "unit/config/address.hpp"
#include "unit/config/expansion.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/run_command.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view forms_hint =
    "one of tcp = PORT, unix = \"PATH\", http = \"http://…\", exec = COMMAND, log = \"pattern\", notify = "
    "true, delay = "
    "\"1s\"";
constexpr std::string_view health_hint =
    "one of http = \"http://…\", tcp = PORT, unix = \"PATH\", exec = COMMAND";

void read_url(const key_context& at) {
    auto& spec = object_of<ready_spec>(at);
    const std::string& url = at.value.text;
    if (has_reference(url)) {
        at.table.read(at.key, at.value, spec.written);
    } else if (is_usable_url(url)) {
        spec.url = url;
    } else {
        at.table.reject(
            at.key, at.value.where, fmt::format("is not a URL that hob can ask: '{}'", url),
            "http://ADDRESS[:PORT][/PATH], ADDRESS numeric or localhost: \"http://localhost:8080/health\"");
    }
}

// The form whose key this is; `started`: it is no such key.
ready_form form_of(const table_reader& ready, std::string_view leaf) {
    const config_key* key = find_key(ready.scope(), leaf);
    if (key == nullptr || key->presence != key_presence::alternative) return ready_form::started;
    const auto word = std::find(std::begin(ready_form_words), std::end(ready_form_words), leaf);
    return static_cast<ready_form>(word - std::begin(ready_form_words));
}

// The form that the table says; a second one is noted.
ready_form read_form(const table_reader& ready, std::string_view hint) {
    ready_form found = ready_form::started;
    for (const auto& member : ready.table().members) {
        const ready_form form = form_of(ready, member.key);
        if (form == ready_form::started) continue;
        if (found != ready_form::started) {
            ready.faults().error(
                member.where,
                fmt::format("{} has both '{}' and '{}'", ready.title(), name_of(found), member.key), hint);
        }
        found = form;
    }
    return found;
}

void read_probe_table(const key_context& at, ready_spec& spec, std::string_view missing,
                      std::string_view hint) {
    table_reader inner = inner_reader(at);
    spec.form = read_form(inner, hint);
    const bool misspelt = !read_keys(inner, at.draft).empty();
    // An unknown key is the better message: it was probably meant to be the form.
    if (!misspelt && spec.form == ready_form::started) at.table.reject(at.key, at.value.where, missing, hint);
}

}  // namespace

void read_ready(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    read_probe_table(at, object_of<service_spec>(at).ready, "does not say when the service is ready",
                     forms_hint);
}

void read_health(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    health_spec& health = object_of<service_spec>(at).health.emplace();
    read_probe_table(at, health.probe, "does not say how the service is probed", health_hint);
}

void read_ready_tcp(const key_context& at) {
    auto& spec = object_of<ready_spec>(at);
    read_address(at, spec.host, spec.port, spec.written);
}

void read_ready_unix(const key_context& at) {
    auto& spec = object_of<ready_spec>(at);
    std::string path;
    if (!at.table.read(at.key, at.value, path)) return;
    if (path == "~" || path.starts_with("~/")) {
        at.table.reject(at.key, at.value.where, fmt::format("is '{}', and '~' is not expanded", path),
                        "write the path out");
    } else if (has_reference(path)) {
        spec.written = path.starts_with("${") ? path : resolve_path(path, at.draft.paths.file_directory);
    } else {
        spec.path = resolve_path(path, at.draft.paths.file_directory);
    }
}

void read_ready_http(const key_context& at) {
    if (at.value.kind == value_kind::string) {
        read_url(at);
        return;
    }
    if (at.value.kind != value_kind::table) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("must be a URL or {{ url = \"…\", status = 200 }}, not {}",
                                    described(at.value.kind)));
        return;
    }
    table_reader inner = inner_reader(at);
    const bool misspelt = !read_keys(inner, at.draft).empty();
    if (!misspelt && inner.value("url") == nullptr)
        inner.faults().error(at.value.where, fmt::format("{} has no 'url'", inner.title()));
}

void read_ready_url(const key_context& at) {
    if (at.table.is(at.key, at.value, value_kind::string)) read_url(at);
}

void read_ready_status(const key_context& at) {
    int status = 0;
    if (at.table.read(at.key, at.value, status)) object_of<ready_spec>(at).status = status;
}

void read_ready_exec(const key_context& at) { object_of<ready_spec>(at).exec = read_command(at); }

void read_ready_log(const key_context& at) { read_pattern(at, object_of<ready_spec>(at).log_pattern, 0); }

void read_ready_notify(const key_context& at) {
    bool notify = true;
    if (at.table.read(at.key, at.value, notify) && !notify)
        at.table.reject(at.key, at.value.where, "can only be true", "or leave it out");
}

// Called after read_ready() has set the form.
void read_ready_owner(const key_context& at) {
    auto& spec = object_of<ready_spec>(at);
    std::size_t index = 0;
    if (!at.table.read_word(at.key, at.value, index)) return;
    spec.any_owner = ready_owner_words[index] == "any";
    if (spec.form != ready_form::tcp && spec.form != ready_form::http && spec.form != ready_form::unix_socket)
        at.table.reject(at.key, at.value.where, "needs tcp, unix or http",
                        "it says whose port or socket that may be");
}

}  // namespace hob::unit
