#pragma once
// The environment of a unit: the base, then env_file, then env, then hob's marks.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// The marks by which hob finds a unit's processes again, and by which a client inside a unit finds its
// daemon.
inline constexpr std::string_view mark_instance = "HOB_INSTANCE";
inline constexpr std::string_view mark_unit = "HOB_UNIT";
inline constexpr std::string_view mark_run = "HOB_RUN";
inline constexpr std::string_view mark_uid = "HOB_UID";  // of the daemon: a unit's process may change its own

// `base` without what no process of a unit may inherit: HOB_*, what belongs to one terminal or one working
// directory, and what refers to descriptors of another process (a jobserver of make, systemd's sockets and
// notifications).
std::vector<std::string> clean_base(const std::vector<std::string>& base);

// clean_base() also without what belongs to one call: the repository of a git hook, the script of npm, the
// buffering of stdbuf. For an environment that is kept for later processes.
std::vector<std::string> without_call_variables(const std::vector<std::string>& base);

// KEY=VALUE lines. Blank lines and lines that start with '#' are skipped; `export ` before a key is allowed.
// A value in single quotes is literal; one in double quotes knows \n \t \r \" \\ \$; an unquoted one is
// trimmed and ends at " #". Throws failure(unit_failed, "cannot start '<unit>': its env_file '<path>:<line>':
// …").
std::vector<std::pair<std::string, std::string>> read_env_file(const std::string& path,
                                                               std::string_view unit);
// The same for its text; `path` is for messages.
std::vector<std::pair<std::string, std::string>> parse_env_file(std::string_view text,
                                                                const std::string& path,
                                                                std::string_view unit);

// The whole environment, K=V; later values replace earlier ones. Throws as read_env_file.
std::vector<std::string> unit_environment(const std::vector<std::string>& base, const unit_spec& spec,
                                          const std::string& instance_key);

// The value of `key` in K=V `environment`; empty when absent.
std::string_view value_in(const std::vector<std::string>& environment, std::string_view key);

}  // namespace hob::unit
