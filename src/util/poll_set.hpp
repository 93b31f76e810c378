#pragma once
// Many descriptors behind one of Asio's waits. Asio arms a descriptor anew for each wait on it, which is a
// system call for each message that comes; here a descriptor is armed once, and only a change of what is
// wanted is another call. Level-triggered: what was not taken is told again. A set within Asio's set costs
// more for a single descriptor, so Asio itself waits for that one as long as it is alone.

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

    // False and errno: no memory, or too many watched. `events` as epoll's; hang-up and error are told
    // whether wanted or not. `who` must stay until remove(), which comes before the descriptor is closed: a
    // copy of it that a child holds for a moment would go on telling.
    bool add(int descriptor, void* who, std::uint32_t events);
    bool change(int descriptor, void* who, std::uint32_t events);
    void remove(int descriptor);

    class listener {
    public:
        virtual void something_is_ready() = 0;

    protected:
        ~listener() = default;
    };
    // Tells it once, from the event loop: when take() has something, when the last one was removed, or after
    // close(). shared: the wait holds it, and it is to hold this set.
    void wait(std::shared_ptr<listener> who);

    // What is ready now, without waiting; who finds no room comes first the next time. Valid until the next
    // call.
    std::span<const epoll_event> take();

    void close();

private:
    bool put(int descriptor, void* who, std::uint32_t events);
    bool begin_alone(int descriptor);
    bool end_alone();

    boost::asio::posix::stream_descriptor set_;
    boost::asio::posix::stream_descriptor
        alone_;  // not in set_; open: nobody else is, and it wants EPOLLIN only
    void* alone_who_ = nullptr;
    std::size_t members_ = 0;
    bool closed_ = false;
    std::array<epoll_event, 128> ready_;
};

}  // namespace hob::util
