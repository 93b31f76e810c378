#pragma once
// The refusal that a draining daemon gives to what it has not begun: whoever asked may ask its successor.

#include "error.hpp"

namespace hob::ipc {

inline constexpr const char* draining_detail = R"({"draining":true})";

inline failure draining_refusal() {
    return failure(error_kind::no_daemon, "cannot begin anything: the daemon is shutting down", {},
                   draining_detail);
}

inline bool is_draining_refusal(const failure& why) {
    return why.kind() == error_kind::no_daemon && why.detail() == draining_detail;
}

}  // namespace hob::ipc
