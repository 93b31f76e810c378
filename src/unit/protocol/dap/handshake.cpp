#include "unit/protocol/dap/handshake.hpp"

#include <variant>

#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

std::string dap_initialize_params(const unit_spec& unit) {
    util::json_object params;
    params.add("clientID", "hob").add("clientName", "hob").add("adapterID", unit.name);
    params.add("locale", "en").add("pathFormat", "path");
    params.add("linesStartAt1", true).add("columnsStartAt1", true).add("supportsVariableType", true);
    params.add("supportsRunInTerminalRequest", true).add("supportsProgressReporting", true);
    return util::json_merge(params.text(), std::get<worker_spec>(unit.detail).initialize_json);
}

}  // namespace hob::unit
