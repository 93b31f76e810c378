#pragma once
// The daemon's methods of `hob attach` for services.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "cmd/handlers/handler_context.hpp"
#include "ipc/message.hpp"

namespace hob::ipc {
class session;
}

namespace hob::cmd {

// Of a unit of any kind.
boost::asio::awaitable<std::string> answer_unit_attach(handler_context context,
                                                       std::shared_ptr<ipc::session> from,
                                                       ipc::request request);
boost::asio::awaitable<std::string> answer_service_input(handler_context context,
                                                         std::shared_ptr<ipc::session> from,
                                                         ipc::request request);
std::string answer_service_resize(handler_context context, ipc::session& from, const ipc::request& request);

}  // namespace hob::cmd
