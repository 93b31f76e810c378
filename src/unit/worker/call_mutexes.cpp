#include "unit/worker/call_mutexes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

// In the queue of a mutex until it gets the mutex or gives up. If it ends after getting the mutex, it passes
// it on.
struct call_mutexes::waiter {
    call_mutexes& all;
    const std::string& name;
    util::manual_reset_event turn;
    bool acquired = false;

    waiter(call_mutexes& in, const std::string& mutex) : all(in), name(mutex), turn(in.executor_) {
        all.held_.at(name).waiting.push_back(&turn);
    }
    ~waiter() {
        if (acquired) return;
        if (turn.is_set()) {
            all.release(name);
        } else {
            std::erase(all.held_.at(name).waiting, &turn);
        }
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
};

asio::awaitable<call_mutexes::lock> call_mutexes::acquire(std::shared_ptr<call_mutexes> all, call_mutex mutex,
                                                          std::string unit, std::string method,
                                                          util::deadline limit) {
    const auto found = all->held_.find(mutex.name);
    if (found == all->held_.end()) {
        all->held_[mutex.name].method = method;
        co_return lock(all, mutex.name);
    }
    if (mutex.refuse) {
        throw failure(error_kind::unit_failed, cannot("call", unit),
                      fmt::format("'{}' is not over yet, and '{}' may not overlap with it",
                                  found->second.method, method));
    }
    waiter queued(*all, mutex.name);
    const bool in_time = co_await util::within(limit.remaining(), queued.turn.wait());
    if (!in_time) {
        throw failure(
            error_kind::timeout, cannot("call", unit),
            fmt::format("waited until the deadline for '{}' to be over", all->held_.at(mutex.name).method));
    }
    queued.acquired = true;
    all->held_.at(mutex.name).method = method;
    co_return lock(all, mutex.name);
}

void call_mutexes::release(const std::string& name) {
    auto& released = held_.at(name);
    if (released.waiting.empty()) {
        held_.erase(name);
        return;
    }
    util::manual_reset_event* next = released.waiting.front();
    released.waiting.pop_front();
    next->set();
}

}  // namespace hob::unit
