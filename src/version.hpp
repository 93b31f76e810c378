#pragma once
// The version of this binary. Linked in from a file of its own, so that tests can build an older or newer
// binary.

#include <cstdint>

namespace hob {

extern const int protocol_version;      // of the wire; equal numbers talk, see doc/protocol.md section 7
extern const std::uint32_t keeper_protocol_version;  // of keeper and daemon; only equal numbers talk, see doc/keeper.md
extern const char* const version_text;  // of the product, such as "0.1.0"

}  // namespace hob
