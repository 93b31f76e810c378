#pragma once
// The environment of a unit: the base, then [env], env_file, [ports] and env, then hob's marks.

#include <string>
#include <string_view>
#include <vector>

#include "unit/config/expansion.hpp"
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

// The whole environment, K=V; later values replace earlier ones. `${NAME}` is expanded in those of [env],
// env_file and env, see config/expansion.hpp. Throws failure(unit_failed, "cannot start '<unit>': …").
std::vector<std::string> unit_environment(const std::vector<std::string>& base, const unit_spec& spec,
                                          const std::string& instance_key, const port_list& ports = {});

// [env] and [ports] alone, expanded, with the base. Throws failure(unit_failed).
variables shared_variables(const std::vector<std::string>& base, const variable_list& shared,
                           const port_list& ports);

// The names of the variables that `base` lacks, has with another value, or has and `environment` lacks;
// sorted, without those that hob sets by itself.
std::vector<std::string> differing_names(const std::vector<std::string>& base,
                                         const std::vector<std::string>& environment);

// The value of `key` in K=V `environment`; empty when absent.
std::string_view value_in(const std::vector<std::string>& environment, std::string_view key);

}  // namespace hob::unit
