#pragma once
// Work that takes long, a piece in each turn of the event loop, so that others are served in between.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <list>
#include <memory>

#include "util/async.hpp"

namespace hob::util {

// For one thread. shared: also held by its own coroutine.
class turns : public std::enable_shared_from_this<turns> {
public:
    static std::shared_ptr<turns> make(boost::asio::any_io_executor executor);

    // Returns at once, or when those that asked before have had their turns; what the caller does until its
    // next suspension has the turn for itself. Throws on cancellation.
    boost::asio::awaitable<void> next();

private:
    explicit turns(boost::asio::any_io_executor executor);
    boost::asio::awaitable<void> give();

    const boost::asio::any_io_executor executor_;
    std::list<manual_reset_event> waiting_;
    bool giving_ = false;
};

}  // namespace hob::util
