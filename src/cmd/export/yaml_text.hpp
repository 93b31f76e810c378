#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

// In double quotes: a string to every reader of YAML, whatever it looks like.
std::string yaml_string(std::string_view text);
// ["a", "b"]
std::string yaml_list(const std::vector<std::string>& texts);

}  // namespace hob::cmd
