#pragma once
// What a session leaves to one of another program that goes on with the conversation.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unit/protocol/mcp/tools.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

struct mcp_session_record {
    bool modern = false;
    std::string revision{};
    std::string capabilities{};
    bool has_tools = false;
    std::vector<std::string> tools{};    // names
    std::vector<std::string> schemas{};  // of these
    std::int64_t last_token = 0;
};

void add_tools(mcp_session_record& record, const mcp_schemas& schemas);
mcp_schemas tools_of(const mcp_session_record& record);

std::optional<carried_session> carried_as(const mcp_session_record& record);
std::optional<mcp_session_record> parse_mcp_session_record(const std::string& text);

}  // namespace hob::unit
