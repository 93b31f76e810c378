#pragma once
// What is to be said of units that did not end as they should, to the person who ended them.

#include <string_view>

#include "cmd/core/command.hpp"
#include "cmd/core/status_view.hpp"

namespace hob::cmd {

// "hob: 'db' was killed: it did not end within 5s of SIGTERM; …"
std::string bad_end_line(const unit_view& unit);

// Prints a line for each unit of the array on standard error, but not with --quiet or --json. Whether a
// process is left that could not be ended. An empty text is no unit.
bool tell_bad_ends(const std::string& units_json, const global_options& global);

}  // namespace hob::cmd
