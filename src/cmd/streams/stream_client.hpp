#pragma once
// For clients that pass streams on in both directions (hob run, hob attach). They wait in their own poll(2),
// so nothing here waits.

#include <optional>
#include <string>
#include <string_view>

#include "ipc/client.hpp"

namespace hob::cmd {

struct arrival {
    std::optional<ipc::incoming> message;  // nullopt: none has arrived
    bool closed = false;                   // none will arrive
};
// The next message of the daemon, if it has arrived.
arrival take_arrived(ipc::client& daemon);

// One read of standard input, which poll(2) has reported readable. Empty: its end, or a read error. nullopt:
// there was nothing to read.
std::optional<std::string> read_input_piece();

// The bytes of `data` or `data_b64` in the params of an output notification.
std::string output_bytes(std::string_view params);

}  // namespace hob::cmd
