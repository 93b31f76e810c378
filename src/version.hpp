#pragma once
// What this binary speaks. In a file of its own so that tests can link a binary that is older or newer.

namespace hob {

extern const int protocol_version;      // of the wire; equal numbers talk, see doc/protocol.md section 7
extern const char* const version_text;  // of the product, such as "0.1.0"

}  // namespace hob
