// What becomes of the units when another program takes over in the process of the daemon. Services and runs
// are with the keeper at any time.
#include <utility>
#include <variant>

#include "unit/registry/unit_map.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// A unit that fails to do so keeps no other from it: the program that comes ends its process.
asio::awaitable<void> hand_over_unit(unit_ptr unit, util::deadline limit) {
    try {
        co_await unit->hand_over(limit);
    } catch (const std::exception& why) {
        util::log(util::level::error, "unit", "a unit cannot go on with another program",
                  {util::field("unit", unit->spec().name), util::field("reason", why.what())});
    }
}

}  // namespace

asio::awaitable<void> registry::hand_over(std::chrono::milliseconds limit) {
    const auto context = units_->context;
    const auto end = util::deadline::in(limit);
    std::vector<asio::awaitable<void>> each;
    for (const auto& [name, unit] : units_->by_name)
        each.push_back(hand_over_unit(unit, end));
    for (const auto& unit : units_->retired) {
        if (!std::holds_alternative<worker_spec>(unit->spec().detail)) continue;
        unit->request_stop("another program takes over");
        each.push_back(hand_over_unit(unit, end));
    }
    co_await util::all_of(std::move(each));
}

}  // namespace hob::unit
