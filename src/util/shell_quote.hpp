#pragma once

#include <string>
#include <vector>

namespace hob::util {

// The words joined by blanks, each quoted for a POSIX shell where necessary.
std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace hob::util
