#pragma once
// Reading hob.toml, whose commands are executed, so that it must be ours or root's.

#include <sys/types.h>

#include <optional>
#include <string>

namespace hob::unit {

// The bytes of a regular file, at most limits::config_file_max. It must be owned by `owner` or root and not
// be writable by everyone; the opened file is checked, not the path. Never blocks. Throws failure(config)
// `cannot read 'PATH': …`, or failure(untrusted_config).
std::string read_trusted_file(const std::string& path, uid_t owner);
// `hint`: for a file that does not exist.
std::string read_trusted_file(const std::string& path, uid_t owner, const std::string& hint);

struct env_file_reading {
    std::optional<std::string> text{};
    int error = 0;         // without a text: errno. ETIMEDOUT: its file system does not answer
    std::string reason{};  // likewise, for people
};

// An env_file may be on another file system than hob.toml, and that one may not answer: it has
// limits::env_file_read. `near`: the directory of hob.toml. Throws failure(untrusted_config), under the same
// rule, if there is an `owner`.
env_file_reading read_env_file(const std::string& path, const std::string& near, std::optional<uid_t> owner);

// Without the checks of owner and mode; nullopt for every fault.
std::optional<std::string> read_any_file(const std::string& path) noexcept;

}  // namespace hob::unit
