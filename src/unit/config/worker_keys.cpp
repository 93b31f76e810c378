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

}  // namespace

std::vector<std::string_view> protocol_words() {
    return {std::begin(worker_protocol_words), std::end(worker_protocol_words)};
}

void read_protocol(const key_context& at) {
    at.table.read(at.key, at.value, object_of<worker_spec>(at).protocol);
}

void read_initialize(const key_context& at) {
    auto& spec = object_of<worker_spec>(at);
    if (!is_json_table(at)) return;
    if (!has_handshake(spec.protocol) && !at.value.members.empty()) {
        at.table.reject(at.key, at.value.where,
                        fmt::format("has no effect: protocol '{}' has no handshake", name_of(spec.protocol)),
                        "protocols with a handshake: lsp dap mcp");
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
    if (!asks_for_settings(spec.protocol)) {
        at.table.reject(at.key, at.value.where, "has no effect: protocol 'lsp' alone asks for settings");
        return;
    }
    spec.settings_json = to_json(at.value);
}

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
    read_address(at, spec.host, spec.port);
}

void read_connect_log(const key_context& at) { read_pattern(at, object_of<connect_spec>(at).log_pattern, 1); }

}  // namespace hob::unit
