#include "cmd/formats/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace hob::cmd {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The environment variable to suggest instead of ${input:api-key}: API_KEY.
std::string variable_for(std::string_view input) {
    std::string name(input);
    for (char& c : name) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (!starts_name(c) && !(c >= '0' && c <= '9')) c = '_';
    }
    return is_variable_name(name) ? name : "NAME";
}

// `name`: the text between "${" and "}".
void add_variable(import_word& word, std::string_view name, const import_context& context) {
    if (name == "workspaceFolder" || name == "workspaceRoot") {
        add_literal(word, context.folder);
    } else if (name == "workspaceFolderBasename") {
        add_literal(word, std::string_view(context.folder).substr(context.folder.rfind('/') + 1));
    } else if (name == "pathSeparator" || name == "/") {
        add_literal(word, "/");
    } else if (name == "userHome") {
        word.push_back({"HOME", true, {}, false});
    } else if (name.starts_with("env:") && is_variable_name(name.substr(4))) {
        word.push_back({std::string(name.substr(4)), true, {}, false});
    } else if (name.starts_with("input:")) {
        throw unimportable(fmt::format("it asks the user for '${{{}}}'; use ${{env:{}}} instead", name,
                                       variable_for(name.substr(6))));
    } else if (const auto dash = name.find(":-");
               context.bare_names && is_variable_name(name.substr(0, dash))) {
        const bool falls_back = dash != std::string_view::npos;
        word.push_back({std::string(name.substr(0, dash)), true,
                        std::string(falls_back ? name.substr(dash + 2) : std::string_view()), false});
    } else {
        throw unimportable(fmt::format("only an editor knows what '${{{}}}' is", name));
    }
}

// Within a default within double quotes.
std::string double_quoted(std::string_view text) {
    std::string quoted;
    for (const char c : text) {
        if (std::string_view("\\\"$`}").find(c) != std::string_view::npos) quoted += '\\';
        quoted += c;
    }
    return quoted;
}

// "${NAME…}", within double quotes.
std::string shell_variable(const word_part& variable) {
    if (variable.required) return fmt::format("${{{}:?is not set}}", variable.text);
    if (!variable.has_default()) return fmt::format("${{{}}}", variable.text);
    std::string otherwise = double_quoted(variable.fallback);
    for (const auto& part : variable.otherwise)
        otherwise += part.variable ? shell_variable(part) : double_quoted(part.text);
    return fmt::format("${{{}:-{}}}", variable.text, otherwise);
}

}  // namespace

void add_literal(import_word& word, std::string_view text) {
    if (text.empty()) return;
    if (!word.empty() && !word.back().variable) {
        word.back().text += text;
    } else {
        word.push_back({std::string(text), false, {}, false});
    }
}

import_word literal_word(std::string_view text) {
    import_word word;
    add_literal(word, text);
    return word;
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && starts_name(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
        return starts_name(c) || (c >= '0' && c <= '9');
    });
}

import_word parse_word(std::string_view text, const import_context& context) {
    if (text.find('\0') != std::string_view::npos) throw unimportable("it has a NUL byte in a text");
    import_word word;
    while (!text.empty()) {
        const auto open = text.find("${");
        const auto close = open == std::string_view::npos ? open : text.find('}', open);
        add_literal(word, text.substr(0, close == std::string_view::npos ? close : open));
        if (close == std::string_view::npos) break;
        add_variable(word, text.substr(open + 2, close - open - 2), context);
        text.remove_prefix(close + 1);
    }
    return word;
}

std::string parse_path(std::string_view key, std::string_view text, const import_context& context) {
    import_word word = parse_word(text, context);
    for (auto& part : word) {
        if (part.variable && part.text == "HOME" && !part.has_default())
            part = {context.home, false, {}, false};
        if (part.variable)
            throw unimportable(fmt::format("its '{}' depends on the environment: '${{{}}}'", key, part.text));
    }
    std::string path = literal_text(word);
    if (path == "~" || path.starts_with("~/")) path.replace(0, 1, context.home);
    if (path.empty()) throw unimportable(fmt::format("its '{}' is empty", key));
    if (!path.starts_with('/')) path = context.folder + "/" + path;
    path = std::filesystem::path(path).lexically_normal().string();
    while (path.size() > 1 && path.ends_with('/'))
        path.pop_back();
    if (path == context.root) return ".";
    if (path.starts_with(context.root + "/")) return path.substr(context.root.size() + 1);
    return path;
}

bool is_literal(const import_word& word) {
    return std::none_of(word.begin(), word.end(), [](const auto& part) { return part.variable; });
}

std::string literal_text(const import_word& word) {
    std::string text;
    for (const auto& part : word)
        text += part.text;
    return text;
}

std::string shell_word(const import_word& word) {
    std::string text;
    for (const auto& part : word) {
        if (part.variable) {
            text += '"' + shell_variable(part) + '"';
            continue;
        }
        const bool plain = std::all_of(part.text.begin(), part.text.end(), [](char c) {
            return starts_name(c) || (c >= '0' && c <= '9') ||
                   std::string_view("./:,+@%-").find(c) != std::string_view::npos;
        });
        if (plain) {
            text += part.text;
            continue;
        }
        text += '\'';
        for (const char c : part.text) {
            if (c == '\'') {
                text += "'\\''";
            } else {
                text += c;
            }
        }
        text += '\'';
    }
    return text.empty() ? "''" : text;
}

}  // namespace hob::cmd
