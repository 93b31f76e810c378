#include "unit/protocol/mcp/identity.hpp"

#include "unit/protocol/mcp/generation.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "version.hpp"

namespace hob::unit {

std::string mcp_client_info() { return util::json_object().add("name", "hob").add("version", version_text).text(); }

std::string mcp_configured(const unit_spec& unit, std::string_view member, std::string_view ours) {
    return util::json_merge(ours, util::json_member_of(worker_spec_of(unit).initialize_json, member));
}

std::string mcp_initialize_params(const unit_spec& unit) {
    util::json_object capabilities;
    capabilities.add("roots", util::json_object().add("listChanged", false));
    util::json_object params;
    params.add("protocolVersion", mcp_legacy_revision).add("capabilities", capabilities);
    params.add("clientInfo", util::raw_json{mcp_client_info()});
    return util::json_merge(params.text(), worker_spec_of(unit).initialize_json);
}

}  // namespace hob::unit
