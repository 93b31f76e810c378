#pragma once
// Which files have changed, for people.

#include <string>
#include <vector>

namespace hob::unit {

// "a.c and 2 more"; `note` where there is one. A name with a newline is not shown.
std::string cause_of_change(const std::vector<std::string>& paths, const std::string& note);

}  // namespace hob::unit
