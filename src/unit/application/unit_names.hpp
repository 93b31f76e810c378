#pragma once
// What people write for units: names, groups and patterns.

#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

// The unit's name, as seen from a directory: below that of an included file its own units come first.
// `directory`: absolute and real, or empty.
std::string scoped_name(const config& configuration, const std::string& name, std::string_view directory);

// Names as they are, and each selector as the units that it stands for: of a group all kinds, of a pattern
// the services, both without those with `enabled = false`. In the order given, each once. Throws
// failure(unit_unknown), `cannot VERB 'SELECTOR': …`, for one that stands for no unit.
std::vector<std::string> selected_names(const config& configuration, const char* verb,
                                        const std::vector<std::string>& names, std::string_view directory);

}  // namespace hob::unit
