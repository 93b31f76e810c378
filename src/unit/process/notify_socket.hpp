#pragma once
// The socket behind NOTIFY_SOCKET, to which sd_notify(3) writes. Each process of a service gets its own, so
// that a late message of one process is not taken for the next one's. The address is abstract and cannot be
// guessed: only processes that got it from the service know it.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "util/fd.hpp"

namespace hob::unit {

class notify_socket : public std::enable_shared_from_this<notify_socket> {
public:
    struct handlers {
        std::function<void()> ready;                                    // READY=1
        std::function<void()> stopping;                                 // STOPPING=1
        std::function<void(std::string text)> status;                   // STATUS=, UTF-8
        std::function<void()> alive;                                    // WATCHDOG=1
        std::function<void()> trigger;                                  // WATCHDOG=trigger
        std::function<void(std::chrono::microseconds)> set_interval;    // WATCHDOG_USEC=
        std::function<void(std::chrono::microseconds)> extend_timeout;  // EXTEND_TIMEOUT_USEC=
        std::function<void(pid_t)> main_pid;                            // MAINPID=
    };

    // Throws failure(denied). shared: the reading coroutine holds it until close().
    static std::shared_ptr<notify_socket> make(const boost::asio::any_io_executor& executor, handlers on);

    // One that another daemon has made, with its address.
    static std::shared_ptr<notify_socket> adopt(const boost::asio::any_io_executor& executor,
                                                util::unique_fd socket, std::string address, handlers on);

    int descriptor() { return socket_.native_handle(); }
    const std::string& address() const { return address_; }  // the value of NOTIFY_SOCKET
    void close();                                            // no handler is called afterwards

private:
    notify_socket(const boost::asio::any_io_executor& executor, handlers on);
    boost::asio::awaitable<void> read_all();
    void receive();
    void decode(std::string_view message);

    boost::asio::posix::stream_descriptor socket_;
    std::string address_;
    handlers on_;
};

}  // namespace hob::unit
