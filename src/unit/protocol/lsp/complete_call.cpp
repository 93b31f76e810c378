#include "unit/protocol/lsp/complete_call.hpp"

#include <utility>

#include "unit/protocol/lsp/request_params.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {

void complete_call(call_request& call, const lsp_shorthand& given, const std::string& path,
                   const lsp_documents::document* document, const std::string& diagnostics,
                   bool columns_are_bytes) {
    lsp_place place;
    place.columns_are_bytes = columns_are_bytes;
    place.diagnostics = diagnostics;
    place.line = given.line;
    place.column = given.column;
    if (document) place.text = document->text();
    if (!path.empty()) place.uri = document ? document->uri : util::uri_of_path(path);
    call.params = complete_params(call.method, std::move(call.params), place);
}

void use_own_token(const std::shared_ptr<progress_tokens>& tokens, call_request& call, event_watch* watch,
                   std::optional<progress_tokens::token>& token) {
    std::string callers(util::json_member_of(call.params, "workDoneToken"));
    if (callers.empty() && !watch) return;
    if (!callers.empty() || call.params.starts_with('{')) {
        token.emplace(tokens, std::move(callers));
        call.params = util::json_set(call.params, {"workDoneToken"}, token->raw());
        if (watch) watch->set_owner(token->number());
    }
}

}  // namespace hob::unit
