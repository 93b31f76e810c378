#pragma once
// What a session leaves to one of another program that goes on with the language server.

#include <cstdint>
#include <optional>
#include <string>

#include "unit/protocol/lsp/documents.hpp"
#include "unit/protocol/lsp/methods.hpp"
#include "unit/protocol/lsp/progress.hpp"
#include "unit/protocol/lsp/registrations.hpp"
#include "unit/protocol/lsp/sync.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// The parts of a session.
struct lsp_parts {
    lsp_documents& documents;
    lsp_sync& sync;
    lsp_progress& progress;
    lsp_registrations& registrations;
    lsp_unmet& unmet;
    progress_tokens& tokens;
};

// nullopt: they cannot be told exactly.
std::optional<carried_session> state_of(const lsp_parts& parts);
// Into parts that are new. False: it is no such state.
bool restore(carried_session state, const lsp_parts& parts);

}  // namespace hob::unit
