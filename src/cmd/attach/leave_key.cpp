#include "cmd/attach/leave_key.hpp"

#include <algorithm>

#include "cmd/streams/input_mode.hpp"

namespace hob::cmd {

// The sequences are of the keyboard protocol of kitty, with and without the kind of event, and of xterm's
// modifyOtherKeys.
std::size_t find_leave_key(std::string_view keys) {
    std::size_t first = keys.find(input_mode::leave_key);
    for (const std::string_view sequence : {"\x1b[93;5u", "\x1b[93;5:1u", "\x1b[27;5;93~"})
        first = std::min(first, keys.find(sequence));
    return first;
}

}  // namespace hob::cmd
