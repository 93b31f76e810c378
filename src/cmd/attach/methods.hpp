#pragma once
// The daemon's methods of `hob attach` for workers.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "cmd/attach/params.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "ipc/message.hpp"

namespace hob::ipc {
class session;
}

namespace hob::cmd {

boost::asio::awaitable<std::string> answer_attach(handler_context context, std::shared_ptr<ipc::session> from,
                                                  ipc::request request);
boost::asio::awaitable<std::string> attach_worker(handler_context context, std::shared_ptr<ipc::session> from,
                                                  ipc::request request, attach_params params);
boost::asio::awaitable<std::string> answer_attach_input(handler_context context,
                                                        std::shared_ptr<ipc::session> from,
                                                        ipc::request request);

}  // namespace hob::cmd
