#pragma once
// Verbs that are about units need a project, and looking verbs an instance that has run.

#include "cmd/core/command.hpp"

namespace hob::cmd {

// Throws failure(no_project) if the verb uses units here, but there is no configuration file that could have
// any. Nothing has been started by then.
void require_project(const command& verb, invocation& call);

// The real path of the directory of -C, or of the current one.
std::string directory_of(const invocation& call);

// For verbs that only look. Throws failure(no_daemon) if the instance was chosen by a name that has never
// been used.
void require_known_instance(invocation& call);

}  // namespace hob::cmd
