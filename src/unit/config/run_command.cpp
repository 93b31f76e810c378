#include "unit/config/run_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "unit/config/key_context.hpp"
#include "util/shell_quote.hpp"

namespace hob::unit {
namespace {

// Words that a shell runs itself: POSIX's reserved words, special and regular builtins, those of dash, and
// those of other shells that serve as /bin/sh. Sorted.
constexpr std::string_view shell_words[] = {
    "!",      ".",    "[",       "[[",      "]]",       "alias",   "bg",      "break",    "builtin",
    "case",   "cd",   "chdir",   "command", "continue", "coproc",  "declare", "do",       "done",
    "echo",   "elif", "else",    "esac",    "eval",     "exec",    "exit",    "export",   "false",
    "fc",     "fg",   "fi",      "for",     "function", "getopts", "hash",    "if",       "in",
    "jobs",   "kill", "let",     "local",   "printf",   "pwd",     "read",    "readonly", "return",
    "select", "set",  "shift",   "source",  "test",     "then",    "time",    "times",    "trap",
    "true",   "type", "typeset", "ulimit",  "umask",    "unalias", "unset",   "until",    "wait",
    "while",  "{",    "}",       ":",
};

bool is_shell_word(std::string_view word) {
    return std::find(std::begin(shell_words), std::end(shell_words), word) != std::end(shell_words);
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_plain(char c) {
    return is_alphanumeric(c) || std::string_view("_./=:,+@%-").find(c) != std::string_view::npos;
}

// What follows a `$`: 1 to 9, @, * or #, in braces or not; not ${#NAME}.
bool names_parameter(std::string_view rest) {
    if (rest.front() == '{') {
        rest.remove_prefix(1);
        if (rest.size() > 1 && rest.front() == '#' && rest[1] != '}') rest.remove_prefix(1);
    }
    return !rest.empty() && std::string_view("123456789@*#").find(rest.front()) != std::string_view::npos;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_white(std::string_view text) {
    return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

std::optional<run_spec> read_argv(const key_context& at) {
    const auto& items = at.value.items;
    if (items.empty()) {
        at.table.reject(at.key, at.value.where, "is empty");
        return std::nullopt;
    }
    std::vector<std::string> argv;
    for (const auto& item : items) {
        if (item.kind != value_kind::string) {
            at.table.reject(at.key, item.where,
                            fmt::format("must hold strings, not {}", described(item.kind)));
        } else if (!is_c_string(item.text)) {
            at.table.reject(at.key, item.where, "has a NUL byte in it");
        } else if (&item == &items.front() && is_white(item.text)) {
            at.table.reject(at.key, item.where, "names no program: its first element is empty");
        } else {
            argv.push_back(item.text);
        }
    }
    if (argv.size() != items.size()) return std::nullopt;
    return direct_command(std::move(argv));
}

}  // namespace

bool uses_arguments(std::string_view script) {
    bool in_double_quotes = false;
    std::string word, before, before_that;  // the words of the command, as far as they matter for `for x`
    const auto end_word = [&] {
        if (word.empty()) return false;
        // `for x` and then no `in`: the loop goes over the positional parameters.
        const bool implicit_loop = before_that == "for" && word != "in";
        before_that = std::exchange(before, std::exchange(word, {}));
        return implicit_loop || before == "getopts" || before == "shift" || before == "eval";
    };
    for (std::size_t at = 0; at < script.size(); ++at) {
        const char c = script[at];
        if (c == '\\') {
            ++at;
            word += '\\';
        } else if (c == '\'' && !in_double_quotes) {
            at = std::min(script.find('\'', at + 1), script.size());
            word += c;
        } else if (c == '"') {
            in_double_quotes = !in_double_quotes;
            word += c;
        } else if (c == '$' && at + 1 < script.size()) {
            if (names_parameter(script.substr(at + 1))) return true;
            word += c;
        } else if (c == '#' && word.empty() && !in_double_quotes) {
            at = std::min(script.find('\n', at), script.size()) - 1;
        } else if (!in_double_quotes && std::string_view(" \t\n;&|()").find(c) != std::string_view::npos) {
            if (end_word()) return true;
            // `for x;` and `for x` at the end of a line.
            if ((c == ';' || c == '\n') && before_that == "for" && !before.empty()) return true;
        } else {
            word += c;
        }
    }
    return end_word();
}

bool is_plain_command(std::string_view text) {
    if (!std::all_of(text.begin(), text.end(), [](char c) { return is_plain(c) || is_blank(c); }))
        return false;
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return false;
    const std::string_view first = text.substr(begin, text.find_first_of(" \t", begin) - begin);
    return first.find('=') == std::string_view::npos && !is_shell_word(first);
}

run_spec shell_command(std::string_view text, std::string_view name) {
    const bool plain = is_plain_command(text);
    std::string script = plain ? fmt::format("exec {} \"$@\"", text) : std::string(text);
    return {{"/bin/sh", "-c", std::move(script), std::string(name)},
            std::string(text),
            !plain && !uses_arguments(text)};
}

run_spec direct_command(std::vector<std::string> argv) {
    std::string text = util::shell_quoted(argv);
    return {std::move(argv), std::move(text)};
}

std::optional<run_spec> read_command(const key_context& at) {
    const tree_value& value = at.value;
    if (value.kind == value_kind::array) return read_argv(at);
    if (value.kind != value_kind::string) {
        at.table.reject(
            at.key, value.where,
            fmt::format(
                "must be a string or an array of strings, such as [\"program\", \"argument\"], not {}",
                described(value.kind)));
    } else if (is_white(value.text)) {
        at.table.reject(at.key, value.where, "is empty");
    } else if (!is_c_string(value.text)) {
        at.table.reject(at.key, value.where, "has a NUL byte in it");
    } else {
        return shell_command(value.text, object_of<unit_spec>(at).name);
    }
    return std::nullopt;
}

}  // namespace hob::unit
