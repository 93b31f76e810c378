// Without `ready`: ready as soon as the program runs.

#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<void> wait(const readiness_target&) { co_return; }

}  // namespace

extern constinit const readiness_kind ready_started{
    .form = ready_form::started,
    .wait = wait,
};

}  // namespace hob::unit
