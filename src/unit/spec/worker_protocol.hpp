#pragma once
// A protocol that workers speak, as data. Each protocol is one record in a file of its own below
// src/unit/protocol/; src/unit/protocol/protocols.cpp lists the records. The rooms below know a protocol by
// its record.

#include <memory>
#include <span>
#include <string_view>

namespace hob::unit {

class framing;
class message_codec;
class protocol_session;

struct worker_protocol {
    std::string_view name;   // `protocol` in hob.toml
    bool handshake = false;  // a session starts with one: `initialize` in hob.toml, `hob call --capabilities`
    bool goodbye = false;    // a session ends with messages of its own, before the stop signal
    bool settings = false;   // servers ask for their settings: `settings` in hob.toml
    bool documents = false;  // files are opened at it: `language_ids` in hob.toml
    bool shares_helpers =
        false;                // what it starts in other process groups is not its own: the default of `kill`
    bool attachable = false;  // several clients can share one process: `hob attach`
    bool one_at_a_time = false;  // answers come in order and name no request: one request is sent at a time
    bool numbers_all = false;    // notifications and cancellations have an id too, and are answered

    std::unique_ptr<framing> (*make_framing)();
    std::unique_ptr<message_codec> (*make_codec)();
    std::shared_ptr<protocol_session> (*make_session)();  // also held by the coroutines of the session
};

// Sorted by name.
std::span<const worker_protocol* const> all_protocols();
const worker_protocol* find_protocol(std::string_view name);  // nullptr: there is none

extern const worker_protocol jsonrpc_protocol;  // the default

}  // namespace hob::unit
