#pragma once
// What a client does that passes streams on in both directions (hob run, hob attach): it waits in its own
// poll(2), so nothing here waits.

#include <optional>
#include <string>
#include <string_view>

#include "ipc/client.hpp"

namespace hob::cmd {

struct arrival {
    std::optional<ipc::incoming> message;  // nullopt: none is here
    bool closed = false;                   // and none will come
};
// The next message of the daemon's that has arrived already.
arrival take_arrived(ipc::client& daemon);

// One read of standard input, which was said to be readable. Empty bytes: its end, or that it cannot be read;
// nullopt: nothing was there after all.
std::optional<std::string> read_input_piece();

// The bytes of `data`, or `data_b64`, of an output notification's params.
std::string output_bytes(std::string_view params);

}  // namespace hob::cmd
