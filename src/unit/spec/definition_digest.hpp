#pragma once
// What of a unit's definition a user consents to.

#include <string>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// SHA-256, in hexadecimal digits, over all that decides what is executed for the unit, and whether it starts
// by itself: its commands, [env], env, env_file (the paths), cwd, after, what a worker is configured with,
// and which triggers it has. The order of keys, times, patterns, limits and the like do not count. A member
// with its default is left out, so a default that a later version adds does not change a digest.
std::string definition_digest(const unit_spec& spec);

// The same over variables alone.
std::string variables_digest(const variable_list& variables);

// A start of the daemon, a schedule or a change of files starts it.
bool starts_by_itself(const unit_spec& spec);

// Why it does not, although it would: for the status. `is_new`: the user has not named it; else what it waits
// for.
std::string held_back_text(const std::string& unit, bool is_new);

}  // namespace hob::unit
