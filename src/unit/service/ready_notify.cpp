// `ready = { notify = true }`: ready when the process sends READY=1, as sd_notify(3) does.

#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<void> wait(const readiness_target& target) {
    target.not_yet.why = "it did not say READY=1";
    co_await target.signalled.wait();
}

std::string text(const ready_spec&) { return "notify = true"; }

}  // namespace

extern constinit const readiness_kind ready_notify{
    .form = ready_form::notify,
    .text = text,
    .notify_socket = true,
    .wait = wait,
};

}  // namespace hob::unit
