#include "unit/protocol/mcp/session_record.hpp"

#include "unit/protocol/carried.hpp"

namespace hob::unit {

template <util::json_fields::is<mcp_session_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("modern", record.modern);
    field("revision", record.revision);
    field("capabilities", record.capabilities);
    field("has_tools", record.has_tools);
    field("tools", record.tools);
    field("schemas", record.schemas);
    field("last_token", record.last_token);
}

void add_tools(mcp_session_record& record, const mcp_schemas& schemas) {
    for (const auto& [name, schema] : schemas) {
        record.tools.push_back(name);
        record.schemas.push_back(schema);
    }
}

mcp_schemas tools_of(const mcp_session_record& record) {
    mcp_schemas schemas;
    for (std::size_t i = 0; i < record.tools.size(); ++i)
        schemas.emplace(record.tools[i], record.schemas[i]);
    return schemas;
}

std::optional<carried_session> carried_as(const mcp_session_record& record) { return carried_record(record); }

std::optional<mcp_session_record> parse_mcp_session_record(const std::string& text) {
    auto record = util::json_fields::parse<mcp_session_record>(text);
    const bool is_one = record && record->tools.size() == record->schemas.size() && !record->revision.empty();
    return is_one ? std::move(record) : std::nullopt;
}

}  // namespace hob::unit
