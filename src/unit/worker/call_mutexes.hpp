#pragma once
// Keeps calls that must not overlap apart: a mutex is passed on in the order of the calls that wait for it.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

class call_mutexes {
public:
    explicit call_mutexes(const boost::asio::any_io_executor& executor) : executor_(executor) {}

    // Holds a mutex until it is destroyed.
    class lock {
    public:
        lock(std::shared_ptr<call_mutexes> all, std::string name)
            : all_(std::move(all)), name_(std::move(name)) {}
        lock(lock&&) = default;
        lock& operator=(lock&&) = delete;
        ~lock() {
            if (all_) all_->release(name_);
        }

    private:
        std::shared_ptr<call_mutexes> all_;  // also held by the process that the calls are for
        std::string name_;
    };

    // Throws failure(unit_failed) where the mutex is held and refuses, failure(timeout) at the limit.
    static boost::asio::awaitable<lock> acquire(std::shared_ptr<call_mutexes> all, call_mutex mutex,
                                                std::string unit, std::string method, util::deadline limit);

private:
    struct held_mutex {
        std::string method;  // of the call that holds it
        std::deque<util::manual_reset_event*> waiting;
    };
    struct waiter;
    void release(const std::string& name);

    boost::asio::any_io_executor executor_;
    std::map<std::string, held_mutex> held_;
};

}  // namespace hob::unit
