#pragma once
// The methods of `hob run` in the daemon (doc/protocol.md 6.9 and 6.10).

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "ipc/message.hpp"

namespace hob::lifecycle {
class daemon;
}
namespace hob::ipc {
class session;
}

namespace hob::cmd {

boost::asio::awaitable<std::string> answer_run(lifecycle::daemon& daemon, std::shared_ptr<ipc::session> from,
                                               ipc::request request);
boost::asio::awaitable<std::string> answer_run_input(lifecycle::daemon& daemon,
                                                     std::shared_ptr<ipc::session> from,
                                                     ipc::request request);
boost::asio::awaitable<std::string> answer_run_wait(lifecycle::daemon& daemon,
                                                    std::shared_ptr<ipc::session> from, ipc::request request);
std::string answer_run_cancel(lifecycle::daemon& daemon, ipc::session& from, const ipc::request& request);
std::string answer_run_detach(lifecycle::daemon& daemon, ipc::session& from, const ipc::request& request);
std::string answer_run_resize(lifecycle::daemon& daemon, ipc::session& from, const ipc::request& request);

}  // namespace hob::cmd
