#pragma once
// The daemon's methods of `hob attach`.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "ipc/message.hpp"

namespace hob::ipc {
class session;
}
namespace hob::lifecycle {
class daemon;
}

namespace hob::cmd {

boost::asio::awaitable<std::string> answer_attach(lifecycle::daemon& daemon,
                                                  std::shared_ptr<ipc::session> from, ipc::request request);
boost::asio::awaitable<std::string> answer_attach_input(lifecycle::daemon& daemon,
                                                        std::shared_ptr<ipc::session> from,
                                                        ipc::request request);

}  // namespace hob::cmd
