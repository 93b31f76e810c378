#include "unit/process/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/env_file.hpp"
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

// It could not be read together with hob.toml. The same rule holds for it now. nullopt: it may be missing,
// and is.
std::optional<std::string> read_late_env_file(const unit_spec& spec, const env_file_spec& file) {
    try {
        auto now = read_env_file(file.path, "/", ::geteuid());
        if (now.text) return std::move(now.text);
        if (!file.required && (now.error == ENOENT || now.error == ENOTDIR)) return std::nullopt;
        throw failure(error_kind::unit_failed, cannot("start", spec.name),
                      fmt::format("its env_file '{}': {}", file.path, now.reason));
    } catch (const failure& why) {
        if (why.kind() != error_kind::untrusted_config) throw;
        throw failure(why.kind(), cannot("start", spec.name),
                      fmt::format("its env_file '{}': {}", file.path, why.reason()), why.hint());
    }
}

std::vector<written_variable> variables_of_file(const unit_spec& spec, const env_file_spec& file) {
    const auto refuse = [&](std::string reason, std::string hint = {}) {
        throw failure(error_kind::unit_failed, cannot("start", spec.name), std::move(reason),
                      std::move(hint));
    };
    const auto text = file.text ? file.text : read_late_env_file(spec, file);
    if (!text) return {};
    env_file read = parse_env_file(*text, file.path);
    if (read.fault) {
        refuse(fmt::format("its env_file '{}:{}': {}", file.path, read.fault->line, read.fault->reason),
               read.fault->hint);
    }
    return std::move(read.variables);
}

std::vector<written_variable> written_in(std::string_view place, const variable_list& list) {
    std::vector<written_variable> layer;
    for (const auto& [name, value] : list)
        layer.push_back({name, value, std::string(place)});
    return layer;
}

std::vector<written_variable> written_in(const port_list& ports) {
    std::vector<written_variable> layer;
    for (const auto& [name, port] : ports)
        layer.push_back({name, std::to_string(port), "[ports]"});
    return layer;
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

variables shared_variables(const std::vector<std::string>& base, const variable_list& shared,
                           const port_list& ports) {
    variables inherited;
    for (const auto& entry : base) {
        const auto equals = entry.find('=');
        if (equals != std::string::npos)
            inherited.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return expand_layers(inherited, {written_in("[env]", shared), written_in(ports)}, "a shell");
}

std::vector<std::string> unit_environment(const std::vector<std::string>& base, const unit_spec& spec,
                                          const std::string& instance_key, const port_list& ports) {
    variables inherited;
    for (const auto& entry : clean_base(base)) {
        const auto equals = entry.find('=');
        inherited.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
    inherited.insert_or_assign("PWD", spec.cwd);
    // Nobody sees the terminal of a worker: it is to be written to as to a pipe.
    if (spec.tty)
        inherited.insert_or_assign("TERM", spec.kind == unit_kind::worker ? "dumb" : "xterm-256color");
    std::vector<std::vector<written_variable>> layers{written_in("[env]", spec.shared_env),
                                                      written_in("[env]", spec.file_env)};
    for (const auto& file : spec.env_files)
        layers.push_back(variables_of_file(spec, file));
    layers.push_back(written_in(ports));
    layers.push_back(written_in("env", spec.env));
    variables merged = expand_layers(inherited, layers, spec.name);
    merged.insert_or_assign(std::string(mark_instance), instance_key);
    merged.insert_or_assign(std::string(mark_unit), spec.name);
    merged.insert_or_assign(std::string(mark_uid), std::to_string(::geteuid()));
    std::vector<std::string> all;
    all.reserve(merged.size());
    for (const auto& [key, value] : merged)
        all.push_back(key + "=" + value);
    return all;
}

std::vector<std::string> differing_names(const std::vector<std::string>& base,
                                         const std::vector<std::string>& environment) {
    std::vector<std::string> inherited = clean_base(base), given = clean_base(environment), only_one;
    std::sort(inherited.begin(), inherited.end());
    std::sort(given.begin(), given.end());
    std::set_symmetric_difference(inherited.begin(), inherited.end(), given.begin(), given.end(),
                                  std::back_inserter(only_one));
    std::vector<std::string> names;
    for (const auto& entry : only_one) {
        std::string name = entry.substr(0, entry.find('='));
        if (names.empty() || names.back() != name) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
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
