#pragma once
// What `hob enable` and `hob disable` are about, from the command line.

#include "cmd/boot/boot_files.hpp"
#include "cmd/boot/installed.hpp"
#include "cmd/core/command.hpp"
#include "unit/spec/spec.hpp"

namespace hob::cmd {

boot_scope scope_of(const invocation& call);

// The user that the daemon of a unit of the system runs as. Throws failure(usage) for one that does not
// exist.
account account_of(const invocation& call);

// The instance as the user of the daemon finds it, who may be another user than the caller.
lifecycle::instance boot_instance(invocation& call);

// What hob.toml says, as the daemon will read it. Throws as unit::load_config().
unit::config boot_config(invocation& call, const lifecycle::instance& where);

boot_request boot_request_of(invocation& call, const unit::config& config);

}  // namespace hob::cmd
