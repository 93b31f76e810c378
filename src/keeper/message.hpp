#pragma once
// What a keeper and its daemon say to each other: one message is one packet of a SOCK_SEQPACKET socket pair,
// with descriptors beside it. doc/keeper.md has the protocol.

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace hob::keeper {

enum class message_kind : std::uint32_t {
    // From the daemon.
    hold = 1,  // `key` with `pid` (0: none), `roles` and the descriptors, instead of what it had before;
               // `text`: its note, unless empty
    note,      // `text` is the note of `key`
    drop,      // forget `key` and close its descriptors
    reap,      // `pid` may be reaped once it has ended
    list,      // tell of all that is held
    ready,     // this daemon serves
    ending,    // the end of this daemon ends the keeper, and what is held
    close,     // close the descriptors of `key` in these `roles`
    release,   // close everything that is held; the keeper stays only as the daemon's parent
    handover,  // another program follows in the daemon's process: it is killed unless it is ready within
               // `number` ms
    // From the keeper.
    held = 64,  // one entry, in answer to `list`: as `hold` and `note` said, with `ended` and `exit`
    listed,     // the last one was told
    exited,     // `pid` has ended
    asked,      // the keeper got a signal that ends a daemon: `number`
    refused,    // the daemon speaks another version of this protocol
};

// How a process ended, as waitid(2) has it.
struct exit_report {
    int code = 0;  // CLD_EXITED, CLD_KILLED or CLD_DUMPED; 0: it has not ended
    int status = 0;
    rusage used{};
};

struct message {
    message_kind kind{};
    pid_t pid = 0;
    int number = 0;
    exit_report exit{};
    std::string key{};
    std::string roles{};  // of the descriptors, one word each, separated by blanks
    std::string text{};
};

struct received {
    message what;
    std::vector<util::unique_fd> descriptors;
    std::uint32_t version = 0;  // of the protocol; the first four bytes of a packet in every one
};

inline constexpr std::size_t descriptors_max = 16;   // a message
inline constexpr std::size_t packet_max = 96 << 10;  // bytes: fits into the default buffer of a socket

// The socket pair, close-on-exec and non-blocking. Throws failure(denied).
struct socket_pair {
    util::unique_fd keeper;
    util::unique_fd daemon;
};
socket_pair make_socket_pair();

// False and errno on failure: EAGAIN when the other side has not read yet, EMSGSIZE when it is too large.
bool send(int socket, const message& what, std::span<const int> descriptors = {});

enum class receive_result { message, nothing, closed, other_version };
// `nothing`: there is none now. Where this process may open no more files, descriptors are missing at the
// end.
receive_result receive(int socket, received& into);

}  // namespace hob::keeper
