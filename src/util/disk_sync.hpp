#pragma once
// Makes written data of a file durable (fdatasync) without blocking the event loop.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace hob::util {

// Its own thread, started by the first flush(), only calls fdatasync(2); it outlives this object when the
// disk does not answer. All else belongs to the thread of the event loop.
class disk_sync : public std::enable_shared_from_this<disk_sync> {
public:
    // With an empty path, or a file that does not exist, flush() has nothing to do. shared: a sync in
    // progress holds it as well.
    static std::shared_ptr<disk_sync> make(boost::asio::any_io_executor executor, std::string path);
    ~disk_sync();  // does not wait
    disk_sync(const disk_sync&) = delete;
    disk_sync& operator=(const disk_sync&) = delete;

    // Covers all data written before the call. Returns 0 or errno. Calls made during one sync share the next.
    boost::asio::awaitable<int> flush();

private:
    struct batch;
    struct shared;
    disk_sync(boost::asio::any_io_executor executor, std::string path);
    void start_thread();
    boost::asio::awaitable<int> sync_in_thread();
    boost::asio::awaitable<void> work();

    const boost::asio::any_io_executor executor_;
    const std::string path_;
    std::shared_ptr<batch> next_;     // also held by the callers of flush()
    std::shared_ptr<shared> shared_;  // also held by the thread
    bool working_ = false;
};

}  // namespace hob::util
