#pragma once
// What a call gets before it is sent.

#include <memory>
#include <optional>
#include <string>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/shorthand.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// The members of its params that `given` and the document of `path` say. `diagnostics`: raw, those of a code
// action.
void complete_call(call_request& call, const lsp_shorthand& given, const std::string& path,
                   const lsp_documents::document* document, const std::string& diagnostics,
                   bool columns_are_bytes);

// A progress token of ours, if it has one, or waits for events.
void use_own_token(const std::shared_ptr<progress_tokens>& tokens, call_request& call, event_watch* watch,
                   std::optional<progress_tokens::token>& token);

}  // namespace hob::unit
