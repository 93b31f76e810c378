#pragma once
// Reads hob.toml, hob.local.toml beside it and the files of its `include`. hob.toml(5) describes the file;
// unit/spec/spec.hpp holds the result.

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// Reads and validates the file, which must be owned by `owner` or root. A unit without `cwd` runs in
// `default_cwd` (absolute), by default the directory of the file. Throws failure(config): `cannot use
// 'FILE:LINE:COLUMN': <reason>` for the first fault by position, or `cannot read 'FILE': <reason>`;
// failure(untrusted_config) when others may have written the file. Never blocks, whatever the path is.
config load_config(const std::string& path, uid_t owner, const std::string& default_cwd = {});

// The source_hash that load_config would give. Does not parse the file. Throws like load_config for a file
// that cannot be read or trusted.
std::string config_hash(const std::string& path, uid_t owner);

// Whether hob.local.toml and the included files are what load_config read.
bool further_files_unchanged(const config& applied);

// Whether each env_file still has the contents that load_config read.
bool env_files_unchanged(const config& applied);

// As load_config, for text that is already in memory, without hob.local.toml. `path` is used in messages and
// for relative paths.
config parse_config(std::string_view bytes, const std::string& path, const std::string& default_cwd = {});

// The configuration without a file, as the user instance may have it.
config default_config();

// Names and kinds in file order, for completion. A broken file gives the names that can be found in it; an
// unreadable one gives none. Never throws, never blocks.
std::vector<std::pair<std::string, unit_kind>> unit_names(const std::string& path);
// Likewise those that clients can be attached to.
std::vector<std::pair<std::string, unit_kind>> attachable_names(const std::string& path);
// Likewise the names in `groups`.
std::vector<std::string> group_names(const std::string& path);

// Whether it stands for other names: "@group", or a pattern with * ? [.
bool is_selector(std::string_view name);
// The names of units that these mean, as selected_names() of unit/application/unit_names.hpp has them, for
// verbs that work without a daemon. One that means nothing stays as it is. `directory`: absolute and real.
std::vector<std::string> names_meant(const std::string& path, const std::vector<std::string>& names,
                                     const std::string& directory);

}  // namespace hob::unit
