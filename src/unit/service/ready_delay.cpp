// `ready = { delay = "2s" }`: ready when the process has lived for that long.

#include <fmt/format.h>

#include "unit/service/readiness.hpp"
#include "util/duration.hpp"

namespace hob::unit {
namespace {

milliseconds minimum(const ready_spec& ready) { return ready.delay; }

// With "0s" the service is ready even if it ends at once, each time.
boost::asio::awaitable<void> wait(const readiness_target& target) {
    if (target.ready().delay > milliseconds(0)) co_await util::pause(target.ready().delay);
}

std::string text(const ready_spec& ready) {
    return fmt::format("delay = \"{}\"", util::format_duration(ready.delay));
}

}  // namespace

extern constinit const readiness_kind ready_delay{
    .form = ready_form::delay,
    .text = text,
    .minimum = minimum,
    .wait = wait,
};

}  // namespace hob::unit
