#pragma once

#include <string>
#include <vector>

namespace hob::util {

// Words with blanks between, each quoted for a POSIX shell where that is needed.
std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace hob::util
