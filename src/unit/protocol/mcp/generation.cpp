#include "unit/protocol/mcp/generation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

constexpr std::array names{
    std::pair(mcp_generation::unknown, std::string_view()),
    std::pair(mcp_generation::modern, std::string_view("modern")),
    std::pair(mcp_generation::legacy, std::string_view("legacy")),
    std::pair(mcp_generation::unproven, std::string_view("unproven")),
};

}  // namespace

std::string_view name_of(mcp_generation generation) {
    for (const auto& [value, name] : names) {
        if (value == generation) return name;
    }
    return {};
}

mcp_generation mcp_generation_named(std::string_view name) {
    for (const auto& [value, known] : names) {
        if (known == name) return value;
    }
    return mcp_generation::unknown;
}

std::string newest_modern_revision(std::string_view revisions) {
    std::string newest;
    for (const auto raw : util::json_array_elements(revisions).value_or(std::vector<std::string_view>())) {
        const auto revision = util::json_unquote(raw);
        if (!revision || *revision < mcp_modern_revision) continue;
        if (*revision == mcp_modern_revision) return *revision;
        newest = std::max(newest, *revision);
    }
    return newest;
}

}  // namespace hob::unit
