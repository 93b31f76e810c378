#pragma once
// The methods of `hob run` in the daemon (doc/protocol.md 6.9 and 6.10).

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "cmd/handlers/handler_context.hpp"
#include "ipc/message.hpp"

namespace hob::ipc {
class session;
}

namespace hob::cmd {

boost::asio::awaitable<std::string> answer_run(handler_context context, std::shared_ptr<ipc::session> from,
                                               ipc::request request);
boost::asio::awaitable<std::string> answer_run_follow(handler_context context,
                                                      std::shared_ptr<ipc::session> from,
                                                      ipc::request request);
boost::asio::awaitable<std::string> answer_run_input(handler_context context,
                                                     std::shared_ptr<ipc::session> from,
                                                     ipc::request request);
boost::asio::awaitable<std::string> answer_run_wait(handler_context context,
                                                    std::shared_ptr<ipc::session> from, ipc::request request);
std::string answer_run_cancel(handler_context context, ipc::session& from, const ipc::request& request);
std::string answer_run_detach(handler_context context, ipc::session& from, const ipc::request& request);
std::string answer_run_resize(handler_context context, ipc::session& from, const ipc::request& request);

}  // namespace hob::cmd
