#pragma once
// Ends a daemon and says so: for shutdown and down.

#include <sys/types.h>

#include <optional>
#include <string>

#include "cmd/core/command.hpp"
#include "lifecycle/end_daemon.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

// With --now.
lifecycle::end_options end_options_of(const invocation& call);
// `units`: those that ended badly, raw JSON, or empty.
util::json_object ended_json(const std::string& key, std::optional<pid_t> pid, const std::string& units);
// Ends the daemon of the instance. Throws failure.
exit_code end_one(invocation& call);

}  // namespace hob::cmd
