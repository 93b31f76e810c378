#pragma once
// The parts of a protocol that one process of a worker is spoken to with.

#include <memory>

#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "unit/spec/worker_protocol.hpp"

namespace hob::unit {

struct protocol_instance {
    const worker_protocol* record = nullptr;
    std::unique_ptr<hob::unit::framing> framing;
    std::unique_ptr<message_codec> codec;
    std::shared_ptr<protocol_session> session;  // also held by its coroutines
};

protocol_instance instantiate(const worker_protocol& protocol);

}  // namespace hob::unit
