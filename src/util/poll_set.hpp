#pragma once
// Many descriptors behind one wait of Asio. Asio arms a descriptor anew for each wait, which costs a system
// call for each message. Here a descriptor is armed once, and only a change of its events costs another call.
// Level-triggered. For a single descriptor an epoll set within Asio's set costs more, so Asio waits for a
// single member directly.

#include <sys/epoll.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace hob::util {

class poll_set {
public:
    // Throws boost::system::system_error.
    explicit poll_set(const boost::asio::any_io_executor& executor);

    // False and errno: no memory, or too many descriptors. `events` as for epoll; hang-up and error are
    // always reported. `owner` must exist until remove(). Call remove() before closing the descriptor: if a
    // child holds a copy of it for a moment, epoll would go on reporting it.
    bool add(int descriptor, void* owner, std::uint32_t events);
    bool change(int descriptor, void* owner, std::uint32_t events);
    void remove(int descriptor);

    class listener {
    public:
        virtual void on_ready() = 0;

    protected:
        ~listener() = default;
    };
    // Calls on_ready() once from the event loop: when take() has events, when the last member was removed, or
    // after close(). shared: the wait holds the listener, which must hold this set.
    void wait(std::shared_ptr<listener> notified);

    // The events that are ready now, without waiting. Events that do not fit come first in the next call.
    // Valid until the next call.
    std::span<const epoll_event> take();

    void close();

private:
    bool epoll_add(int descriptor, void* owner, std::uint32_t events);
    bool begin_single(int descriptor);
    bool end_single();

    boost::asio::posix::stream_descriptor set_;
    boost::asio::posix::stream_descriptor single_;  // open: the only member, not in set_, with EPOLLIN only
    void* single_owner_ = nullptr;
    std::size_t members_ = 0;
    bool closed_ = false;
    std::array<epoll_event, 128> ready_;
};

}  // namespace hob::util
