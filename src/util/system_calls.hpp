#pragma once
// The system calls that are used where the kernel and its filters allow them, and replaced where not.
// doc/requirements.md describes each.

#include <span>

namespace hob::util {

struct replaced_call {
    const char* name;
    const char* cost;  // of doing without it
    bool (*is_refused)();
};

std::span<const replaced_call> replaced_calls();

// Whether a failure with this errno means that the call does not exist here (an older kernel) or is not
// permitted (the filter of a container).
bool is_refusal(int error);

}  // namespace hob::util
