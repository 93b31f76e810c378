#include "unit/protocol/lsp/capabilities.hpp"

#include "util/json/json_edit.hpp"

namespace hob::unit {

bool announces(std::string_view capabilities, std::string_view name) {
    const std::string_view provider = util::json_member_of(capabilities, name);
    return !provider.empty() && provider != "null" && provider != "false";
}

bool takes_documents(std::string_view capabilities) {
    const std::string_view sync = util::json_member_of(capabilities, "textDocumentSync");
    return announces(capabilities, "textDocumentSync") && sync != "0" &&
           util::json_member_of(sync, "openClose") != "false";
}

}  // namespace hob::unit
