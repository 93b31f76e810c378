// `ready = { notify = true }`: ready when the process sends READY=1, as sd_notify(3) does.

#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<void> wait(const readiness_target& target) {
    target.not_yet = "it did not say READY=1";
    co_await target.signalled.wait();
}

}  // namespace

extern constinit const readiness_kind ready_notify{
    .form = ready_form::notify,
    .notify_socket = true,
    .wait = wait,
};

}  // namespace hob::unit
