#pragma once
// What `hob call UNIT METHOD PARAMS…` means by PARAMS.

#include <string>
#include <vector>

namespace hob::cmd {

// Raw JSON on one line, or empty for none: one JSON text; "-" (standard input) or "@FILE" holding one;
// key=text and key:=json pairs, as an object; anything else as an array of strings. Throws failure(usage).
std::string call_params(const std::vector<std::string>& words, const std::string& unit);

}  // namespace hob::cmd
