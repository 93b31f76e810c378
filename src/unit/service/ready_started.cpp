// Without `ready`: ready when the process has lived for a moment, so that a program that ends at once has
// failed to start.

#include "limits.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<void> wait(const readiness_target&) { co_await util::pause(limits::ready_delay); }

std::string text(const ready_spec&) { return {}; }

}  // namespace

extern constinit const readiness_kind ready_started{
    .form = ready_form::started,
    .text = text,
    .wait = wait,
};

}  // namespace hob::unit
