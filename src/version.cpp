#include "version.hpp"

#ifndef HOB_PROTOCOL
#define HOB_PROTOCOL 1
#endif

namespace hob {

const int protocol_version = HOB_PROTOCOL;
const char* const version_text = HOB_VERSION;

}  // namespace hob
