#pragma once
// The parts of the language server protocol.

#include <memory>

namespace hob::unit {

class protocol_session;

std::shared_ptr<protocol_session> make_lsp_session();  // also held by its coroutines

}  // namespace hob::unit
