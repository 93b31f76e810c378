#include "version.hpp"

#ifndef HOB_PROTOCOL
#define HOB_PROTOCOL 1
#endif

#ifndef HOB_KEEPER_PROTOCOL
#define HOB_KEEPER_PROTOCOL 1
#endif

namespace hob {

const int protocol_version = HOB_PROTOCOL;
const std::uint32_t keeper_protocol_version = HOB_KEEPER_PROTOCOL;
const char* const version_text = HOB_VERSION;

}  // namespace hob
