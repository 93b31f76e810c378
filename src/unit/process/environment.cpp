#include "unit/process/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/file.hpp"
#include "unit/config/unit_table.hpp"
#include "util/fd.hpp"

namespace hob::unit {
namespace {

// These describe the terminal of the client that started the daemon, which units do not have.
constexpr std::array<std::string_view, 13> terminal_names{
    "TERM", "COLORTERM", "COLUMNS", "LINES",       "SSH_TTY", "GPG_TTY", "WINDOWID",
    "TMUX", "STY",       "WINDOW",  "VTE_VERSION", "TERMCAP", "TTY"};
constexpr std::array<std::string_view, 2> dropped_prefixes{"TERM_PROGRAM", "TMUX_"};

// The directory and the last command of the calling shell, and what refers to descriptors of another process:
// the service manager's sockets, notifications, watchdog and log.
constexpr std::string_view foreign_names[] = {"PWD",
                                              "OLDPWD",
                                              "_",
                                              "NOTIFY_SOCKET",
                                              "LISTEN_FDS",
                                              "LISTEN_PID",
                                              "LISTEN_FDNAMES",
                                              "INVOCATION_ID",
                                              "JOURNAL_STREAM",
                                              "LISTEN_PIDFDID"};
constexpr std::string_view foreign_prefixes[] = {"WATCHDOG_"};

// What `git rev-parse --local-env-vars` lists, and what npm sets for a script.
constexpr std::string_view call_names[] = {"GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                           "GIT_CONFIG",
                                           "GIT_CONFIG_PARAMETERS",
                                           "GIT_CONFIG_COUNT",
                                           "GIT_OBJECT_DIRECTORY",
                                           "GIT_DIR",
                                           "GIT_WORK_TREE",
                                           "GIT_IMPLICIT_WORK_TREE",
                                           "GIT_GRAFT_FILE",
                                           "GIT_INDEX_FILE",
                                           "GIT_NO_REPLACE_OBJECTS",
                                           "GIT_REPLACE_REF_BASE",
                                           "GIT_PREFIX",
                                           "GIT_SHALLOW_FILE",
                                           "GIT_COMMON_DIR",
                                           "GIT_INTERNAL_SUPER_PREFIX",
                                           "npm_command",
                                           "npm_execpath",
                                           "_STDBUF_E",
                                           "_STDBUF_I",
                                           "_STDBUF_O"};
constexpr std::string_view call_prefixes[] = {"npm_lifecycle_", "npm_package_"};

template <typename Names>
bool is_one_of(std::string_view key, const Names& names) {
    return std::find(std::begin(names), std::end(names), key) != std::end(names);
}

template <typename Prefixes>
bool has_prefix(std::string_view key, const Prefixes& prefixes) {
    return std::any_of(std::begin(prefixes), std::end(prefixes),
                       [key](std::string_view prefix) { return key.starts_with(prefix); });
}

bool is_dropped(std::string_view key) {
    return is_own_variable(key) || is_one_of(key, terminal_names) || is_one_of(key, foreign_names) ||
           has_prefix(key, dropped_prefixes) || has_prefix(key, foreign_prefixes);
}

// Without the words that name the jobserver: its descriptors are make's, and its pipe ends with make.
std::string without_jobserver(std::string_view flags) {
    // A leading blank means that there are no single-letter flags.
    std::string kept = flags.starts_with(' ') ? " " : "";
    while (!flags.empty()) {
        const std::string_view word = flags.substr(0, flags.find(' '));
        flags.remove_prefix(std::min(word.size() + 1, flags.size()));
        if (word.empty() || word.starts_with("--jobserver-auth=") || word.starts_with("--jobserver-fds="))
            continue;
        if (!kept.empty() && kept.back() != ' ') kept += ' ';
        kept += word;
    }
    return kept;
}

bool names_stdbuf(std::string_view libraries) {
    return libraries.find("libstdbuf") != std::string_view::npos;
}

// The libraries of LD_PRELOAD, separated by blanks or colons, without stdbuf's.
std::string without_stdbuf(std::string_view libraries) {
    std::string kept;
    while (!libraries.empty()) {
        const auto end = std::min(libraries.find_first_of(" :"), libraries.size());
        const std::string_view library = libraries.substr(0, end);
        libraries.remove_prefix(std::min(end + 1, libraries.size()));
        if (library.empty() || names_stdbuf(library)) continue;
        if (!kept.empty()) kept += ':';
        kept += library;
    }
    return kept;
}

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_key(std::string_view key) {
    if (key.empty() || (key.front() >= '0' && key.front() <= '9')) return false;
    return std::all_of(key.begin(), key.end(), [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

bool only_comment(std::string_view rest) {
    rest = trimmed(rest);
    return rest.empty() || rest.front() == '#';
}

// The inside of a double-quoted value. False: the closing quote is not on this line.
bool read_double_quoted(std::string_view text, std::string& value, std::string_view& rest) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            rest = text.substr(i + 1);
            return true;
        }
        if (text[i] != '\\' || i + 1 == text.size()) {
            value += text[i];
            continue;
        }
        switch (const char c = text[++i]) {
            case 'n':
                value += '\n';
                break;
            case 't':
                value += '\t';
                break;
            case 'r':
                value += '\r';
                break;
            case '"':
            case '\\':
            case '$':
                value += c;
                break;
            default:
                value.append({'\\', c});
        }
    }
    return false;
}

// nullptr, or the error.
const char* read_value(std::string_view text, std::string& value) {
    text = trimmed(text);
    if (text.starts_with('\'')) {
        const auto end = text.find('\'', 1);
        if (end == std::string_view::npos) return "a quote is not closed";
        value = text.substr(1, end - 1);
        return only_comment(text.substr(end + 1)) ? nullptr : "text after the closing quote";
    }
    if (text.starts_with('"')) {
        std::string_view rest;
        if (!read_double_quoted(text.substr(1), value, rest)) return "a quote is not closed";
        return only_comment(rest) ? nullptr : "text after the closing quote";
    }
    for (std::size_t hash = text.find('#'); hash != std::string_view::npos; hash = text.find('#', hash + 1)) {
        if (hash == 0 || blanks.find(text[hash - 1]) != std::string_view::npos) {
            text = text.substr(0, hash);
            break;
        }
    }
    value = trimmed(text);
    return nullptr;
}

// nullptr, or the error. An empty key: the line holds no variable.
const char* read_line(std::string_view line, std::string& key, std::string& value) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return nullptr;
    constexpr std::string_view prefix = "export ";
    if (line.starts_with(prefix)) line = trimmed(line.substr(prefix.size()));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return "no '='";
    const std::string_view name = trimmed(line.substr(0, equals));
    if (!is_key(name)) return "not a variable's name before '='";
    if (line.find('\0') != std::string_view::npos) return "a NUL byte";
    key = name;
    return read_value(line.substr(equals + 1), value);
}

}  // namespace

std::vector<std::string> clean_base(const std::vector<std::string>& base) {
    std::vector<std::string> inherited;
    inherited.reserve(base.size());
    for (const auto& entry : base) {
        const auto equals = entry.find('=');
        if (equals == std::string::npos || equals == 0 ||
            is_dropped(std::string_view(entry).substr(0, equals)))
            continue;
        const std::string_view key = std::string_view(entry).substr(0, equals);
        if ((key == "MAKEFLAGS" || key == "MFLAGS") && entry.find("--jobserver-") != std::string::npos) {
            const std::string flags = without_jobserver(std::string_view(entry).substr(equals + 1));
            if (flags.find_first_not_of(' ') != std::string::npos)
                inherited.push_back(std::string(key) + "=" + flags);
        } else {
            inherited.push_back(entry);
        }
    }
    return inherited;
}

std::vector<std::string> without_call_variables(const std::vector<std::string>& base) {
    std::vector<std::string> kept = clean_base(base);
    std::erase_if(kept, [](const std::string& entry) {
        const auto key = std::string_view(entry).substr(0, entry.find('='));
        return is_one_of(key, call_names) || has_prefix(key, call_prefixes);
    });
    for (auto& entry : kept) {
        if (!entry.starts_with("LD_PRELOAD=") || !names_stdbuf(entry)) continue;
        entry = "LD_PRELOAD=" + without_stdbuf(std::string_view(entry).substr(entry.find('=') + 1));
    }
    std::erase(kept, "LD_PRELOAD=");
    return kept;
}

std::vector<std::pair<std::string, std::string>> read_env_file(const std::string& path,
                                                               std::string_view unit) {
    try {
        return parse_env_file(read_trusted_file(path, ::geteuid(), {}), path, unit);
    } catch (const failure& why) {
        if (why.kind() == error_kind::unit_failed) throw;
        const bool untrusted = why.kind() == error_kind::untrusted_config;
        throw failure(untrusted ? why.kind() : error_kind::unit_failed, cannot("start", unit),
                      fmt::format("its env_file '{}': {}", path, why.reason()), untrusted ? why.hint() : "");
    }
}

std::vector<std::pair<std::string, std::string>> parse_env_file(std::string_view text,
                                                                const std::string& path,
                                                                std::string_view unit) {
    std::vector<std::pair<std::string, std::string>> variables;
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    for (int number = 1; !rest.empty(); ++number) {
        const auto newline = rest.find('\n');
        std::string key, value;
        if (const char* error = read_line(rest.substr(0, newline), key, value)) {
            throw failure(error_kind::unit_failed, cannot("start", unit),
                          fmt::format("its env_file '{}:{}': {}", path, number, error));
        }
        if (!key.empty()) variables.emplace_back(std::move(key), std::move(value));
        rest = newline == std::string_view::npos ? std::string_view{} : rest.substr(newline + 1);
    }
    return variables;
}

std::vector<std::string> unit_environment(const std::vector<std::string>& base, const unit_spec& spec,
                                          const std::string& instance_key) {
    std::map<std::string, std::string, std::less<>> merged;
    for (const auto& entry : clean_base(base)) {
        const auto equals = entry.find('=');
        merged.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    merged.insert_or_assign("PWD", spec.cwd);
    if (spec.env_file) {
        const auto variables = spec.env_file_text
                                   ? parse_env_file(*spec.env_file_text, *spec.env_file, spec.name)
                                   : read_env_file(*spec.env_file, spec.name);
        for (const auto& [key, value] : variables)
            merged.insert_or_assign(key, value);
    }
    for (const auto& [key, value] : spec.env)
        merged.insert_or_assign(key, value);
    merged.insert_or_assign(std::string(mark_instance), instance_key);
    merged.insert_or_assign(std::string(mark_unit), spec.name);
    merged.insert_or_assign(std::string(mark_uid), std::to_string(::geteuid()));
    std::vector<std::string> all;
    all.reserve(merged.size());
    for (const auto& [key, value] : merged)
        all.push_back(key + "=" + value);
    return all;
}

std::string_view value_in(const std::vector<std::string>& environment, std::string_view key) {
    for (const auto& entry : environment) {
        if (entry.size() > key.size() && entry[key.size()] == '=' && entry.starts_with(key)) {
            return std::string_view(entry).substr(key.size() + 1);
        }
    }
    return {};
}

}  // namespace hob::unit
