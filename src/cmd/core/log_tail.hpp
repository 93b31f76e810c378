#pragma once
// The end of a unit's log, shown with the error when the unit fails.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "lifecycle/instance.hpp"

namespace hob::cmd {

// The last lines, at most `count`, that the unit has written since its last start, each with the unit's name
// before it. `since`: when the command began that the unit failed in. Empty: it has written nothing.
std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count,
                           std::chrono::system_clock::time_point since);

// The same as texts, without times and names.
std::vector<std::string> last_texts(const lifecycle::instance& where, const std::string& unit,
                                    std::size_t count, std::chrono::system_clock::time_point since);

}  // namespace hob::cmd
