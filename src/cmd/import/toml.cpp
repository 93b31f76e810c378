// Writes a worker as a table of hob.toml.

#include <fmt/format.h>

#include <algorithm>

#include "cmd/import/read.hpp"

namespace hob::cmd {
namespace {

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\u{:04X}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

bool is_bare(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

std::string key_text(std::string_view key) { return is_bare(key) ? std::string(key) : toml_string(key); }

// TOML allows no control characters in comments.
std::string comment_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? fmt::format("\\u{:04x}", byte) : std::string(1, c);
    }
    return out;
}

// A value of `env` as it is, although hob.toml expands ${NAME} there.
std::string unexpanded(std::string text) {
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3))
        text.insert(at, "$");
    return text;
}

// NAME=${NAME} changes nothing: workers inherit the environment.
bool is_inherited(const std::pair<std::string, import_word>& entry) {
    const import_word same{{entry.first, true, {}}};
    return entry.second == same;
}

// The environment is only known when the worker starts, so a shell expands it.
std::string shell_command(const imported_unit& unit) {
    std::string text;
    for (const auto& [name, value] : unit.env) {
        if (is_literal(value) || is_inherited({name, value})) continue;
        if (!is_variable_name(name))
            throw unimportable(fmt::format("a shell cannot set its variable '{}'", name));
        text += fmt::format("{}={} ", name, shell_word(value));
    }
    text += "exec";
    for (const auto& word : unit.run)
        text += " " + shell_word(word);
    return text;
}

std::string run_text(const imported_unit& unit) {
    const bool direct = std::all_of(unit.run.begin(), unit.run.end(), is_literal) &&
                        std::all_of(unit.env.begin(), unit.env.end(), [](const auto& entry) {
                            return is_literal(entry.second) || is_inherited(entry);
                        });
    if (!direct) return toml_string(shell_command(unit));
    std::string text = "[";
    for (const auto& word : unit.run)
        text += (text.size() > 1 ? ", " : "") + toml_string(literal_text(word));
    return text + "]";
}

}  // namespace

std::string to_toml(const imported_unit& unit, std::string_view file) {
    std::string text = fmt::format("# {} of {}\n", comment_text(unit.from), comment_text(file));
    if (!unit.comment.empty())
        text += fmt::format("# hob call {} {}\n", unit.name, comment_text(unit.comment));
    text += fmt::format("[worker.{}]\nrun = {}\nprotocol = \"{}\"\n", key_text(unit.name), run_text(unit),
                        unit.protocol);
    if (!unit.connect.empty()) text += fmt::format("connect = {}\n", unit.connect);
    if (unit.cwd && *unit.cwd != ".") text += fmt::format("cwd = {}\n", toml_string(*unit.cwd));
    if (unit.env_file) text += fmt::format("env_file = {}\n", toml_string(*unit.env_file));
    std::string env;
    for (const auto& [name, value] : unit.env) {
        if (is_literal(value))
            env += fmt::format("{}{} = {}", env.empty() ? " " : ", ", key_text(name),
                               toml_string(unexpanded(literal_text(value))));
    }
    if (!env.empty()) text += "env = {" + env + " }\n";
    return text;
}

}  // namespace hob::cmd
