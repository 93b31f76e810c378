#pragma once
// Reads PARAMS of `hob call UNIT METHOD PARAMS…`.

#include <string>
#include <vector>

namespace hob::cmd {

// Returns raw JSON on one line; empty: there are no params. PARAMS is one JSON text, "-" (standard input) or
// "@FILE" with one, or key=text and key:=json pairs, which make an object. Anything else becomes an array of
// strings. Throws failure(usage).
std::string call_params(const std::vector<std::string>& words, const std::string& unit);

}  // namespace hob::cmd
