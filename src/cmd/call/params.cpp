#include "cmd/call/params.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <string_view>

#include "error.hpp"
#include "limits.hpp"
#include "util/fd.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

// The request has other members beside the params, which are two levels deep in it.
constexpr std::size_t params_max = limits::line_max - 4096;
constexpr int depth_max = limits::json_depth_max - 2;

[[noreturn]] void refuse(const std::string& unit, const std::string& reason, std::string hint = {}) {
    throw failure(error_kind::usage, cannot("call", unit), reason, std::move(hint));
}

std::string read_whole(int fd, const std::string& unit, const std::string& source) {
    std::string bytes;
    char chunk[65536];
    for (;;) {
        const ssize_t n = ::read(fd, chunk, sizeof chunk);
        if (n == 0) return bytes;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) refuse(unit, fmt::format("the params in {}: {}", source, errno_text(errno)));
        bytes.append(chunk, static_cast<std::size_t>(n));
        if (bytes.size() > params_max)
            refuse(unit, fmt::format("the params in {} are longer than 16 MiB", source));
    }
}

// Checks `text` and makes it one line: a newline in valid JSON is white space between values.
std::string checked(std::string text, const std::string& unit, const std::string& source) {
    if (const auto wrong = util::validate_json(text, depth_max)) {
        refuse(unit, fmt::format("{} no valid JSON: {} at byte {}", source, wrong->what, wrong->offset));
    }
    for (char& c : text) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    const auto begin = text.find_first_not_of(" \t");
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

struct pair {
    std::string_view key;
    std::string_view value;
    bool is_json;
};

std::optional<pair> pair_of(std::string_view word) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool json = equals > 0 && word[equals - 1] == ':';
    const std::string_view key = word.substr(0, json ? equals - 1 : equals);
    if (key.empty() || key.find_first_of("{[\" \t") != std::string_view::npos) return std::nullopt;
    return pair{key, word.substr(equals + 1), json};
}

// @FILE as its content, anything else as it is.
std::string value_of(const pair& given, const std::string& unit) {
    if (!given.value.starts_with('@')) return std::string(given.value);
    const std::string path(given.value.substr(1));
    const std::string source = fmt::format("'{}', the value of '{}',", path, given.key);
    const auto fd = util::open_file(path, O_RDONLY | O_NOCTTY);
    if (!fd) {
        refuse(unit, fmt::format("the value of '{}' in '{}': {}", given.key, path, errno_text(errno)),
               fmt::format("{}:='\"@…\"' gives a text that begins with @", given.key));
    }
    std::string text = read_whole(fd.get(), unit, source);
    if (!util::is_utf8(text)) refuse(unit, fmt::format("{} is not UTF-8", source));
    return text;
}

std::optional<std::string> object_of(const std::vector<std::string>& words, const std::string& unit) {
    util::json_object object;
    std::set<std::string_view> keys;
    for (const auto& word : words) {
        const auto parsed = pair_of(word);
        if (!parsed) return std::nullopt;
        const std::string_view key = parsed->key;
        if (!keys.insert(key).second) refuse(unit, fmt::format("'{}' is given twice", key));
        std::string value = value_of(*parsed, unit);
        if (parsed->is_json) {
            object.add(key, util::raw_json{
                                checked(std::move(value), unit, fmt::format("the value of '{}' is", key))});
        } else {
            object.add(key, value);
        }
    }
    return std::move(object).text();
}

std::string array_of(const std::vector<std::string>& words) {
    util::json_array array;
    for (const auto& word : words)
        array.add(word);
    return std::move(array).text();
}

// Empty: the word is not JSON.
std::string json_of_word(const std::string& word, const std::string& unit) {
    if (word == "-")
        return checked(read_whole(STDIN_FILENO, unit, "standard input"), unit, "standard input is");
    if (word.starts_with('@')) {
        const std::string path = word.substr(1);
        const auto fd = util::open_file(path, O_RDONLY | O_NOCTTY);
        if (!fd) refuse(unit, fmt::format("the params in '{}': {}", path, errno_text(errno)));
        return checked(read_whole(fd.get(), unit, fmt::format("'{}'", path)), unit,
                       fmt::format("'{}' is", path));
    }
    const auto begin = word.find_first_not_of(" \t\n\r");
    if (begin != std::string::npos && word.find_first_of("{[\"") == begin) {
        return checked(word, unit, "the params are");
    }
    if (!util::validate_json(word, depth_max)) return checked(word, unit, "the params are");  // 5, true, null
    return {};
}

}  // namespace

std::string call_params(const std::vector<std::string>& words, const std::string& unit) {
    if (words.empty()) return {};
    for (const auto& word : words) {
        if (!util::is_utf8(word)) refuse(unit, "the params are not UTF-8", "@FILE and - want UTF-8, too");
    }
    std::string params = words.size() == 1 ? json_of_word(words.front(), unit) : std::string();
    if (params.empty()) {
        auto object = object_of(words, unit);
        params = object ? std::move(*object) : array_of(words);
    }
    if (params.size() > params_max) refuse(unit, "the params are longer than 16 MiB");
    return params;
}

}  // namespace hob::cmd
