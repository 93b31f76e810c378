#pragma once
// The tools of a server, as it has listed them, and what calls of them come to.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"

namespace hob::unit {

using mcp_schemas = std::map<std::string, std::string, std::less<>>;

class tool_list {
public:
    explicit tool_list(const std::vector<std::string>& listed);  // raw
    explicit tool_list(mcp_schemas schemas) : schemas_(std::move(schemas)) {}
    const mcp_schemas& schemas() const { return schemas_; }

    bool has(std::string_view tool) const { return schemas_.contains(tool); }
    // Why a call of `tool` with `arguments` (raw) is not allowed. nullopt: it is allowed.
    std::optional<failure> mismatch(std::string_view unit, std::string_view tool,
                                    std::string_view arguments) const;

private:
    // The raw schemas of the arguments, by name. Empty: the server has sent none, or one that is too long to
    // check.
    mcp_schemas schemas_;
};

// Throws failure(worker_error) for a result that says that the tool failed, or that input is missing.
// `is_tool`: the result is that of a tool.
void check_result(std::string_view unit, const std::string& result, bool is_tool);

}  // namespace hob::unit
