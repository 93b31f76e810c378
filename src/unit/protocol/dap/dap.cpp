// The debug adapter protocol.
#include "unit/protocol/dap/dap.hpp"

#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/spec/worker_protocol.hpp"

namespace hob::unit {

extern constinit const worker_protocol dap_protocol;
constinit const worker_protocol dap_protocol{
    .name = "dap",
    .handshake = true,
    .goodbye = true,
    .numbers_all = true,
    .make_framing = make_header_framing,
    .make_codec = make_dap_codec,
    .make_session = make_dap_session,
};

}  // namespace hob::unit
