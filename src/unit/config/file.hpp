#pragma once
// The bytes of hob.toml, if they may be trusted.

#include <sys/types.h>

#include <optional>
#include <string>

namespace hob::unit {

// At most limits::config_file_max bytes of a regular file owned by `owner` or root and not writable by
// everyone, judged on the opened descriptor. Never blocks. Throws failure(config) `cannot read 'PATH': …`, or
// failure(untrusted_config).
std::string read_trusted_file(const std::string& path, uid_t owner);
// With a hint of its own for a file that is not there.
std::string read_trusted_file(const std::string& path, uid_t owner, const std::string& hint);

// Likewise, whoever owns it; nullopt for every fault.
std::optional<std::string> read_any_file(const std::string& path) noexcept;

}  // namespace hob::unit
