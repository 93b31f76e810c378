#include "unit/worker/call_mutexes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

// In the queue of a lane until it is let in or gives up. Let in and gone at once, it lets the next one in.
struct call_mutexes::waiter {
    call_mutexes& in;
    const std::string& name;
    util::manual_reset_event turn;
    bool entered = false;

    waiter(call_mutexes& of, const std::string& lane) : in(of), name(lane), turn(of.executor_) {
        in.taken_.at(name).waiting.push_back(&turn);
    }
    ~waiter() {
        if (entered) return;
        if (turn.is_set()) {
            in.leave(name);
        } else {
            std::erase(in.taken_.at(name).waiting, &turn);
        }
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
};

asio::awaitable<call_mutexes::place> call_mutexes::enter(std::shared_ptr<call_mutexes> in, call_mutex rule,
                                                         std::string unit, std::string method,
                                                         util::deadline limit) {
    const auto found = in->taken_.find(rule.name);
    if (found == in->taken_.end()) {
        in->taken_[rule.name].method = method;
        co_return place(in, rule.name);
    }
    if (rule.refuse) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot call '{}': '{}' is not over yet, and '{}' may not overlap with it",
                                  unit, found->second.method, method));
    }
    waiter mine(*in, rule.name);
    const bool in_time = co_await util::within(limit.remaining(), mine.turn.wait());
    if (!in_time) {
        throw failure(error_kind::timeout,
                      fmt::format("cannot call '{}': waited until the deadline for '{}' to be over", unit,
                                  in->taken_.at(rule.name).method));
    }
    mine.entered = true;
    in->taken_.at(rule.name).method = method;
    co_return place(in, rule.name);
}

void call_mutexes::leave(const std::string& name) {
    auto& left = taken_.at(name);
    if (left.waiting.empty()) {
        taken_.erase(name);
        return;
    }
    util::manual_reset_event* next = left.waiting.front();
    left.waiting.pop_front();
    next->set();
}

}  // namespace hob::unit
