#pragma once
// The parts of the debug adapter protocol.

#include <memory>

namespace hob::unit {

class message_codec;
class protocol_session;

std::unique_ptr<message_codec> make_dap_codec();
std::shared_ptr<protocol_session> make_dap_session();  // also held by its coroutines

}  // namespace hob::unit
