#pragma once
// The failure with which a draining daemon refuses a request that it has not begun: the client may send the
// request to the successor.

#include "error.hpp"

namespace hob::ipc {

failure draining_refusal();
bool is_draining_refusal(const failure& why);

}  // namespace hob::ipc
