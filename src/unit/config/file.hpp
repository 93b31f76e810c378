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

// An env_file, under the same rule; nullopt: it cannot be read. Throws failure(untrusted_config).
std::optional<std::string> read_trusted_env_file(const std::string& path, uid_t owner);

// Without the checks of owner and mode; nullopt for every fault.
std::optional<std::string> read_any_file(const std::string& path) noexcept;

}  // namespace hob::unit
