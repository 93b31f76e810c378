#pragma once
// The user's consent to all units, with or without a daemon.

#include <string>
#include <vector>

#include "cmd/boot/installed.hpp"
#include "lifecycle/instance.hpp"
#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

// As this user. Throws failure, also consent_needed in a process of a unit, which cannot consent.
void accept_units(const lifecycle::instance& where, const unit::config& config, util::deadline limit);

// As another user; this process is root.
void accept_units_as(const account& user, const lifecycle::instance& where, const unit::config& config,
                     util::deadline limit);

// What then runs by itself, in the order of the file: units with a trigger, and services that were up when
// the last daemon ended.
std::vector<std::string> running_by_themselves(const lifecycle::instance& where, const unit::config& config);

}  // namespace hob::cmd
