#pragma once
// Makes what was written to a file survive a crash of the machine, without the event loop waiting for the
// disk.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace hob::util {

// Has a thread of its own from the first flush() on, which does nothing but fdatasync(2) and outlives this
// object where the disk does not answer. The rest of it belongs to one thread.
class disk_sync : public std::enable_shared_from_this<disk_sync> {
public:
    // An empty path, or a file that does not exist: nothing has to be made durable. shared: a sync under way
    // holds it, too.
    static std::shared_ptr<disk_sync> make(boost::asio::any_io_executor executor, std::string path);
    ~disk_sync();  // waits for nothing
    disk_sync(const disk_sync&) = delete;
    disk_sync& operator=(const disk_sync&) = delete;

    // Covers all that was written before the call: 0, or errno. Calls during one sync share the next.
    boost::asio::awaitable<int> flush();

private:
    struct batch;
    struct shared;
    disk_sync(boost::asio::any_io_executor executor, std::string path);
    void start_thread();
    boost::asio::awaitable<void> work();

    const boost::asio::any_io_executor executor_;
    const std::string path_;
    std::shared_ptr<batch> next_;     // also held by those who wait for it
    std::shared_ptr<shared> shared_;  // also held by the thread
    bool working_ = false;
};

}  // namespace hob::util
