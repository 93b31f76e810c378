// The keys that only workers have.
#include <fmt/format.h>

#include "unit/config/address.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/toml_to_json.hpp"

namespace hob::unit {
namespace {

// Whether the value is a table that JSON can express; notes it when it is not.
bool is_json_table(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return false;
    const tree_value* wrong = has_no_json(at.value);
    if (wrong != nullptr) at.table.reject(at.key, wrong->where, "has a number that JSON does not have");
    return wrong == nullptr;
}

// Their names, separated by blanks.
std::string protocols_with(bool worker_protocol::*trait) {
    std::string names;
    for (const worker_protocol* protocol : all_protocols()) {
        if (protocol->*trait) names.append(names.empty() ? "" : " ").append(protocol->name);
    }
    return names;
}

}  // namespace

std::vector<std::string_view> protocol_words() {
    std::vector<std::string_view> words;
    for (const worker_protocol* protocol : all_protocols())
        words.push_back(protocol->name);
    return words;
}

void read_protocol(const key_context& at) {
    std::size_t index = 0;
    if (at.table.read_word(at.key, at.value, index))
        object_of<worker_spec>(at).protocol = all_protocols()[index];
}

void read_initialize(const key_context& at) {
    auto& spec = object_of<worker_spec>(at);
    if (!is_json_table(at)) return;
    if (!spec.protocol->handshake && !at.value.members.empty()) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("has no effect: protocol '{}' has no handshake", spec.protocol->name),
                        "protocols with a handshake: " + protocols_with(&worker_protocol::handshake));
        return;
    }
    spec.initialize_json = to_json(at.value);
}

void read_answers(const key_context& at) {
    if (!is_json_table(at)) return;
    for (const auto& member : at.value.members)
        object_of<worker_spec>(at).answers.emplace_back(member.key, to_json(member.value));
}

void read_settings(const key_context& at) {
    auto& spec = object_of<worker_spec>(at);
    if (!is_json_table(at)) return;
    if (!spec.protocol->settings) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("has no effect: protocol '{}' has no settings", spec.protocol->name),
                        "protocols with settings: " + protocols_with(&worker_protocol::settings));
        return;
    }
    spec.settings_json = to_json(at.value);
}

namespace {

bool has_documents(const key_context& at) {
    const auto& spec = object_of<worker_spec>(at);
    if (spec.protocol->documents) return true;
    at.table.reject(at.key, at.value.where,
                    fmt::format("has no effect: protocol '{}' has no documents", spec.protocol->name),
                    "protocols with documents: " + protocols_with(&worker_protocol::documents));
    return false;
}

}  // namespace

void read_files(const key_context& at) {
    std::vector<std::string> patterns;
    if (!at.table.read(at.key, at.value, patterns) || !has_documents(at)) return;
    object_of<worker_spec>(at).files = std::move(patterns);
}

void read_language_ids(const key_context& at) {
    auto& spec = object_of<worker_spec>(at);
    if (!at.table.is(at.key, at.value, value_kind::table) || !has_documents(at)) return;
    for (const auto& [pattern, where, value] : at.value.members) {
        const bool is_text = value.kind == value_kind::string && !value.text.empty() && !pattern.empty();
        if (!is_text) {
            at.table.reject(at.key, value.where, fmt::format("has no language id for '{}'", pattern),
                            "such as \"*.inc\" = \"php\"");
        } else {
            spec.language_ids.emplace_back(pattern, value.text);
        }
    }
}

void read_answer(const key_context& at) {
    constexpr std::string_view forms = "one of \"line\", { until = \"regex\" }, { quiet = \"50ms\" }";
    auto& spec = object_of<worker_spec>(at);
    if (!spec.protocol->one_at_a_time) {
        at.table.reject(
            at.key, at.value.where,
            fmt::format("has no effect: protocol '{}' says itself where an answer ends", spec.protocol->name),
            "protocols without such ends: " + protocols_with(&worker_protocol::one_at_a_time));
        return;
    }
    if (at.value.kind != value_kind::table) {
        const bool is_line = at.value.kind == value_kind::string && at.value.text == "line";
        if (!is_line) at.table.reject(at.key, at.value.where, "does not say where an answer ends", forms);
        return;
    }
    table_reader inner = inner_reader(at);
    const bool misspelt = !read_keys(inner, at.draft).empty();
    const bool until = inner.value("until") != nullptr;
    const bool quiet = inner.value("quiet") != nullptr;
    if (until && quiet) {
        at.table.reject(at.key, at.value.where, "has both 'until' and 'quiet'", forms);
    } else if (!misspelt && !until && !quiet) {
        at.table.reject(at.key, at.value.where, "does not say where an answer ends", forms);
    }
    spec.answer.form = until ? answer_form::until : quiet ? answer_form::quiet : answer_form::line;
}

void read_answer_until(const key_context& at) { read_pattern(at, object_of<answer_spec>(at).until, 0); }

void read_connect(const key_context& at) {
    constexpr std::string_view forms =
        "one of tcp = PORT, tcp = \"ADDRESS:PORT\", log = \"listening on (.+)\"";
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    object_of<worker_spec>(at).connect.emplace();
    table_reader inner = inner_reader(at);
    // An unknown key is the better message: it was probably meant to be one of the two.
    const bool misspelt = !read_keys(inner, at.draft).empty();
    const bool tcp = inner.value("tcp") != nullptr;
    const bool log = inner.value("log") != nullptr;
    if (tcp && log) {
        at.table.reject(at.key, at.value.where, "has both 'tcp' and 'log'", forms);
    } else if (!misspelt && !tcp && !log) {
        at.table.reject(at.key, at.value.where, "does not say where the worker listens", forms);
    }
}

void read_connect_tcp(const key_context& at) {
    auto& spec = object_of<connect_spec>(at);
    read_address(at, spec.host, spec.port, spec.written);
}

void read_connect_log(const key_context& at) { read_pattern(at, object_of<connect_spec>(at).log_pattern, 1); }

}  // namespace hob::unit
