#pragma once
// unit.up of the wire (doc/protocol.md), both ways.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/units/up_session.hpp"
#include "ipc/message.hpp"
#include "ipc/session.hpp"

namespace hob::cmd {

// Sends the notification up.begun, then the events of the daemon, and replies when the units have ended.
boost::asio::awaitable<std::string> answer_up(handler_context context, std::shared_ptr<ipc::session> by,
                                              ipc::request request);

// What a client reads of up.begun.
struct up_begun {
    std::vector<up_unit> shown;
    std::optional<up_mark> mark{};  // of the service with whose end it ends
    std::vector<std::string> by_themselves;
};
up_begun parse_up_begun(std::string_view params);
up_end parse_up_end(std::string_view result);

}  // namespace hob::cmd
