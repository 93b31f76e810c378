#pragma once
// Reading hob.toml. What may stand in it is hob.toml(5); the result is plain data, see unit/spec/spec.hpp.

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// Reads and validates the file. `owner` is who may own it besides root. A unit without `cwd` runs in
// `default_cwd` (absolute), by default the directory of the file. Throws failure(config): `cannot use
// 'FILE:LINE:COLUMN': <reason>` for the first fault by position, or `cannot read 'FILE': <reason>`;
// failure(untrusted_config) when the file is not ours to trust. Never blocks, whatever the path is.
config load_config(const std::string& path, uid_t owner, const std::string& default_cwd = {});

// The source_hash that load_config would give, without looking at what the file says. Throws as it does for a
// file that cannot be read or trusted.
std::string config_hash(const std::string& path, uid_t owner);

// Whether each env_file still has the contents that load_config read.
bool env_files_unchanged(const config& applied);

// As load_config, for text that is already in memory. `path` is used in messages and for relative paths.
config parse_config(std::string_view bytes, const std::string& path, const std::string& default_cwd = {});

// What holds without a file, as for the user instance.
config default_config();

// Names and kinds in file order, for completions: takes what it can get from a file that is broken; empty
// when there is nothing to read. Never throws, never blocks.
std::vector<std::pair<std::string, unit_kind>> unit_names(const std::string& path);

}  // namespace hob::unit
