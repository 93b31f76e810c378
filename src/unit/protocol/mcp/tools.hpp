#pragma once
// The tools of a server, as it has listed them, and what calls of them come to.

#include <optional>
#include <string>
#include <string_view>

#include "error.hpp"

namespace hob::unit {

// Why a call of `tool` with `arguments` (raw) is not allowed by `tools`, a raw array. nullopt: it is allowed.
std::optional<failure> tool_mismatch(std::string_view unit, std::string_view tools, const std::string& tool,
                                     std::string_view arguments);

// `tools`: a raw array.
bool lists_tool(std::string_view tools, std::string_view name);

// Throws failure(worker_error) for a result that says that the tool failed, or that input is missing.
// `is_tool`: the result is that of a tool.
void check_result(std::string_view unit, const std::string& result, bool is_tool);

}  // namespace hob::unit
