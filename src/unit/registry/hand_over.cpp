// What becomes of the units when another program takes over in the process of the daemon. Services and runs
// are with the keeper at any time.
#include <algorithm>

#include "unit/registry/unit_map.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> until_stopped(unit_ptr unit) {
    while (unit->running())
        co_await unit->changes().wait();
}

}  // namespace

asio::awaitable<void> until_unused(unit_ptr unit) {
    while (unit->in_flight() > 0)
        co_await unit->changes().wait();
}

// The conversation with a worker is in the memory of this program.
asio::awaitable<void> registry::hand_over(std::chrono::milliseconds limit) {
    const auto end = util::deadline::in(limit);
    for (const auto& unit : units_->running()) {
        if (!std::holds_alternative<worker_spec>(unit->spec().detail)) continue;
        co_await util::within(end.remaining(), until_unused(unit));
        unit->request_stop("another program takes over");
        co_await util::within(end.remaining(), until_stopped(unit));
    }
}

}  // namespace hob::unit
