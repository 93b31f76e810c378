#include "util/turns.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace hob::util {

namespace asio = boost::asio;

turns::turns(asio::any_io_executor executor) : executor_(std::move(executor)) {}

std::shared_ptr<turns> turns::make(asio::any_io_executor executor) {
    return std::shared_ptr<turns>(new turns(std::move(executor)));
}

asio::awaitable<void> turns::next() {
    const auto self = shared_from_this();
    if (!std::exchange(giving_, true)) {
        spawn(executor_, give(), "turns");
        co_return;
    }
    const auto mine = waiting_.emplace(waiting_.end(), executor_);
    struct place {
        std::list<manual_reset_event>& all;
        std::list<manual_reset_event>::iterator at;
        ~place() { all.erase(at); }
    } const held{waiting_, mine};
    co_await mine->wait();
}

asio::awaitable<void> turns::give() {
    const auto self = shared_from_this();
    for (;;) {
        co_await asio::post(executor_, asio::use_awaitable);
        auto at = waiting_.begin();
        while (at != waiting_.end() && at->is_set())
            ++at;
        if (at == waiting_.end()) break;
        at->set();
    }
    giving_ = false;
}

}  // namespace hob::util
