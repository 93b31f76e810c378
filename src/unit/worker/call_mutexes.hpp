#pragma once
// Calls that must not overlap, by lane: the next one enters when the former has left.

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

    // Leaves the lane when it is destroyed.
    class place {
    public:
        place(std::shared_ptr<call_mutexes> in, std::string lane)
            : lanes_(std::move(in)), lane_(std::move(lane)) {}
        place(place&&) = default;
        place& operator=(place&&) = delete;
        ~place() {
            if (lanes_) lanes_->leave(lane_);
        }

    private:
        std::shared_ptr<call_mutexes> lanes_;  // also the life's whose calls these are
        std::string lane_;
    };

    // Throws failure(unit_failed) where the rule refuses, failure(timeout) when the limit is over first.
    static boost::asio::awaitable<place> enter(std::shared_ptr<call_mutexes> in, call_mutex rule,
                                               std::string unit, std::string method, util::deadline limit);

private:
    struct lane {
        std::string method;  // of the call inside
        std::deque<util::manual_reset_event*> waiting;
    };
    struct waiter;
    void leave(const std::string& name);

    boost::asio::any_io_executor executor_;
    std::map<std::string, lane> taken_;
};

}  // namespace hob::unit
