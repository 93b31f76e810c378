#pragma once
// The parts of the protocol of lines.

#include <memory>
#include <string_view>

#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// Text that is not UTF-8 becomes {"data_b64":…}.
worker_message lines_answer(std::string_view text);
std::shared_ptr<protocol_session> make_lines_session();

}  // namespace hob::unit
