#include "cmd/formats/compose_values.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/json_file.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

std::size_t name_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_variable_name(text.substr(0, length + 1)))
        ++length;
    return length;
}

// `text`: what stands between "${" and "}".
word_part braced(std::string_view text) {
    const std::string name(text.substr(0, name_length(text)));
    const std::string_view rest = text.substr(name.size());
    if (name.empty()) throw unimportable(fmt::format("'${{{}}}' is no variable", text));
    if (rest.empty()) return {name, true, {}, false};
    const std::string_view form = rest.substr(0, rest[0] == ':' ? 2 : 1);
    const std::string_view operand = rest.substr(form.size());
    if (form == ":-" || form == "-") {
        import_word otherwise = interpolated(operand);
        if (is_literal(otherwise)) return {name, true, literal_text(otherwise), false};
        return {name, true, {}, false, std::move(otherwise)};
    }
    if (form == ":?" || form == "?") return {name, true, {}, true};
    throw unimportable(fmt::format("hob.toml cannot express '${{{}}}'", text));
}

// The end of "${…}", braces in it counted.
std::size_t closing_brace(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
        if (text[at] == '{') ++depth;
        if (text[at] == '}' && --depth == 0) return at;
    }
    throw unimportable("it has a '${' that does not end");
}

std::string text_value(const json::value& value, std::string_view key) {
    const auto text = scalar_of(value);
    if (!text) throw unimportable(fmt::format("its '{}' must hold texts, not {}", key, kind_of(value)));
    return *text;
}

// What colons separate, except those in "${…}" and "[…]".
std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> parts(1);
    int depth = 0;
    for (const char c : text) {
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (c == ':' && depth == 0) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

// "8080:80/tcp", "127.0.0.1:8080:80", "80". Colons in ${…} belong to it.
compose_port parse_port(std::string_view text) {
    compose_port port;
    const auto slash = text.rfind('/');
    if (slash != std::string_view::npos && text.find('}', slash) == std::string_view::npos) {
        port.tcp = text.substr(slash + 1) == "tcp";
        text = text.substr(0, slash);
    }
    const auto parts = parts_of(text);
    port.target = parts.back();
    if (parts.size() > 1) port.published = parts[parts.size() - 2];
    return port;
}

}  // namespace

import_word interpolated(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) throw unimportable("it has a NUL byte in a text");
    import_word word;
    while (!text.empty()) {
        const auto dollar = std::min(text.find('$'), text.size());
        add_literal(word, text.substr(0, dollar));
        text.remove_prefix(dollar);
        if (text.empty()) break;
        if (text.starts_with("$$")) {
            add_literal(word, "$");
            text.remove_prefix(2);
        } else if (text.starts_with("${")) {
            const std::size_t close = closing_brace(text, 1);
            word.push_back(braced(text.substr(2, close - 2)));
            text.remove_prefix(close + 1);
        } else if (const std::size_t length = name_length(text.substr(1)); length > 0) {
            word.push_back({std::string(text.substr(1, length)), true, {}, false});
            text.remove_prefix(1 + length);
        } else {
            throw unimportable("it has a '$' that is not '$$' and names no variable");
        }
    }
    return word;
}

std::string default_text(const import_word& word) {
    std::string text;
    for (const auto& part : word)
        text += part.variable ? part.fallback + default_text(part.otherwise) : part.text;
    return text;
}

std::string compose_text(const import_word& word) {
    for (const auto& part : word) {
        if (part.variable && part.fallback.empty())
            throw unimportable(fmt::format("it depends on the variable '{}'", part.text));
    }
    return default_text(word);
}

std::string compose_path(import_word word, const import_context& context) {
    for (auto& part : word) {
        if (part.variable && part.text == "PWD") part = {context.folder, false, {}, false};
        if (part.variable && part.text == "HOME") part = {context.home, false, {}, false};
    }
    const std::string path = compose_text(word);
    if (path.starts_with('~')) return context.home + path.substr(1);
    return path.starts_with('/') ? path : context.folder + "/" + path;
}

std::vector<import_word> compose_command(const json::value& value, std::string_view key) {
    std::vector<import_word> words;
    if (value.is_null()) return words;
    if (value.is_array()) {
        for (const auto& item : value.get_array())
            words.push_back(interpolated(text_value(item, key)));
        return words;
    }
    const auto split = split_words(text_value(value, key));
    if (!split) throw unimportable(fmt::format("its '{}' has a quote that does not end", key));
    for (const auto& word : *split)
        words.push_back(interpolated(word));
    return words;
}

std::optional<milliseconds> compose_duration(const json::value& value) {
    const auto given = scalar_of(value);
    if (!given) return std::nullopt;
    std::string_view text = *given;
    double sum = 0;
    while (!text.empty()) {
        const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
        if (error != std::errc() || end != text.data() + digits) return std::nullopt;
        text.remove_prefix(digits);
        const auto unit = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
        constexpr std::pair<std::string_view, double> units[] = {
            {"h", 3.6e6}, {"m", 6e4}, {"s", 1e3}, {"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}, {"d", 8.64e7}};
        const auto known = std::find_if(std::begin(units), std::end(units),
                                        [&](const auto& row) { return row.first == unit; });
        if (known == std::end(units)) return std::nullopt;
        sum += number * known->second;
        text.remove_prefix(unit.size());
    }
    if (sum > 1e12) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(sum));
}

std::string toml_duration(milliseconds duration) {
    const auto count = duration.count();
    return count % 1000 == 0 ? fmt::format("\"{}s\"", count / 1000) : fmt::format("\"{}ms\"", count);
}

std::vector<std::pair<std::string, std::optional<std::string>>> compose_pairs(const json::value& value,
                                                                              std::string_view key) {
    std::vector<std::pair<std::string, std::optional<std::string>>> pairs;
    if (const json::object* members = value.if_object()) {
        for (const auto& member : *members) {
            std::optional<std::string> text;
            if (!member.value().is_null()) text = text_value(member.value(), key);
            pairs.emplace_back(member.key(), text);
        }
    } else if (const json::array* items = value.if_array()) {
        for (const auto& item : *items) {
            const std::string text = text_value(item, key);
            const auto equals = text.find('=');
            if (equals == std::string::npos) {
                pairs.emplace_back(text, std::nullopt);
            } else {
                pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
            }
        }
    } else if (!value.is_null()) {
        throw unimportable(fmt::format("its '{}' must be a map or a list, not {}", key, kind_of(value)));
    }
    return pairs;
}

import_word compose_variable(const std::string& name, const std::optional<std::string>& value) {
    require_variable_name(name);
    import_word word = value ? interpolated(*value) : import_word{{name, true, {}, false}};
    env_text(word);
    return word;
}

std::vector<std::string> compose_texts(const json::value& value) {
    std::vector<std::string> texts;
    if (const auto text = scalar_of(value)) {
        texts.push_back(*text);
    } else if (const json::array* items = value.if_array()) {
        for (const auto& item : *items)
            if (const auto each = scalar_of(item)) texts.push_back(*each);
    } else if (const json::object* members = value.if_object()) {
        for (const auto& member : *members)
            texts.emplace_back(member.key());
    }
    return texts;
}

std::vector<compose_port> compose_ports(const json::value& value) {
    std::vector<compose_port> ports;
    if (!value.is_array()) return ports;
    for (const auto& item : value.get_array()) {
        if (const json::object* members = item.if_object()) {
            const auto member_text = [&](const char* key) {
                const json::value* member = members->if_contains(key);
                return member != nullptr ? scalar_of(*member).value_or("") : std::string();
            };
            ports.push_back(
                {member_text("published"), member_text("target"), member_text("protocol") != "udp"});
        } else if (const auto written = scalar_of(item)) {
            ports.push_back(parse_port(*written));
        }
    }
    return ports;
}

std::vector<bind_mount> compose_binds(const json::value& value) {
    std::vector<bind_mount> binds;
    if (!value.is_array()) return binds;
    for (const auto& item : value.get_array()) {
        if (const json::object* members = item.if_object()) {
            const auto source = text_of(*members, "source"), target = text_of(*members, "target");
            if (source && target && text_of(*members, "type") == "bind") binds.push_back({*source, *target});
        } else if (const auto text = scalar_of(item)) {
            const auto parts = parts_of(*text);
            const bool is_path =
                std::string_view("./~$").find(parts[0].substr(0, 1)) != std::string_view::npos;
            if (parts.size() > 1 && !parts[0].empty() && is_path) binds.push_back({parts[0], parts[1]});
        }
    }
    return binds;
}

}  // namespace hob::cmd
