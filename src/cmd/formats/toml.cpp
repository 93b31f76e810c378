// Writes a unit as a table of hob.toml.

#include <fmt/format.h>

#include <algorithm>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

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

namespace {

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

std::string after_text(const std::vector<import_after>& after) {
    std::string text;
    for (const auto& one : after) {
        if (!text.empty()) text += ", ";
        text += one.restart ? fmt::format("{{ unit = {}, restart = true }}", toml_string(one.entry))
                            : toml_string(one.entry);
    }
    return "[" + text + "]";
}

std::string env_files_text(const std::vector<import_env_file>& files) {
    std::string text;
    for (const auto& one : files) {
        if (!text.empty()) text += ", ";
        text += one.required ? toml_string(one.path)
                             : fmt::format("{{ path = {}, required = false }}", toml_string(one.path));
    }
    return files.size() == 1 && files.front().required ? text : "[" + text + "]";
}

std::string variables_text(const imported_unit& unit) {
    std::string env;
    for (const auto& [name, value] : unit.env)
        env +=
            fmt::format("{}{} = {}", env.empty() ? " " : ", ", key_text(name), toml_string(env_text(value)));
    return "{" + env + " }";
}

}  // namespace

std::string toml_command(const std::vector<import_word>& words) {
    std::string text;
    if (std::all_of(words.begin(), words.end(), is_literal)) {
        for (const auto& word : words)
            text += (text.empty() ? "" : ", ") + toml_string(literal_text(word));
        return "[" + text + "]";
    }
    // Variables are only known when the unit starts, so a shell expands them.
    for (const auto& word : words)
        text += " " + shell_word(word);
    return toml_command("exec" + text);
}

// A literal string where that is easier to read.
std::string toml_command(std::string_view text) {
    const bool literal = text.find_first_of("\"\\") != std::string_view::npos &&
                         std::all_of(text.begin(), text.end(), [](char c) {
                             const auto byte = static_cast<unsigned char>(c);
                             return c != '\'' && byte >= 0x20 && byte != 0x7f;
                         });
    return literal ? fmt::format("'{}'", text) : toml_string(text);
}

std::string toml_comment(std::string_view text) { return comment_text(text); }

std::string unexpanded(std::string text) {
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3))
        text.insert(at, "$");
    return text;
}

std::string env_text(const import_word& value) {
    std::string text;
    for (const auto& part : value) {
        if (!part.variable) {
            text += unexpanded(part.text);
            continue;
        }
        // A default ends at the first '}' that ends no variable in it.
        const std::string otherwise = part.fallback + env_text(part.otherwise);
        const bool has_brace =
            part.fallback.find('}') != std::string::npos ||
            std::any_of(part.otherwise.begin(), part.otherwise.end(), [](const auto& inner) {
                return !inner.variable && inner.text.find('}') != std::string::npos;
            });
        if (text.ends_with('$') || part.fallback.find("${") != std::string::npos || has_brace)
            throw unimportable(fmt::format("hob.toml cannot express its use of '${{{}}}'", part.text));
        text += part.required ? fmt::format("${{{}}}", part.text)
                              : fmt::format("${{{}:-{}}}", part.text, otherwise);
    }
    return text;
}

std::string to_toml(const imported_unit& unit, std::string_view file) {
    std::string text = fmt::format("# {} of {}\n", comment_text(unit.from), comment_text(file));
    if (!unit.about.empty()) text += fmt::format("# {}\n", comment_text(unit.about));
    for (const auto& remark : unit.remarks)
        text += fmt::format("# {}\n", comment_text(remark));
    if (!unit.comment.empty())
        text += fmt::format("# hob call {} {}\n", unit.name, comment_text(unit.comment));
    text += fmt::format("[{}.{}]\nrun = {}\n", unit::name_of(unit.kind), key_text(unit.name),
                        unit.script.empty() ? toml_command(unit.run) : toml_command(unit.script));
    if (unit.kind == unit::unit_kind::worker) text += fmt::format("protocol = \"{}\"\n", unit.protocol);
    if (!unit.connect.empty()) text += fmt::format("connect = {}\n", unit.connect);
    if (unit.cwd && *unit.cwd != ".") text += fmt::format("cwd = {}\n", toml_string(*unit.cwd));
    if (!unit.env_files.empty()) text += fmt::format("env_file = {}\n", env_files_text(unit.env_files));
    if (!unit.env.empty()) text += fmt::format("env = {}\n", variables_text(unit));
    if (!unit.after.empty()) text += fmt::format("after = {}\n", after_text(unit.after));
    for (const auto& [key, value] : unit.keys)
        text += fmt::format("{} = {}\n", key, value);
    return text;
}

}  // namespace hob::cmd
