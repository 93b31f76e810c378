#include "util/disk_sync.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"

namespace hob::util {

struct disk_sync::batch {
    explicit batch(const asio::any_io_executor& executor) : done(executor) {}
    manual_reset_event done;
    int error = 0;
};

// What the event loop and the thread share. One request at a time.
struct disk_sync::shared {
    std::mutex guard;
    std::condition_variable changed;
    std::string path;
    bool requested = false;
    bool stopping = false;
    std::atomic<int> error = 0;
    unique_fd completed;  // an eventfd that the event loop waits for

    void serve();
};

namespace {

int sync_file(const std::string& path) {
    const auto file = open_file(path, O_RDWR | O_NOFOLLOW);
    if (!file) return errno == ENOENT ? 0 : errno;
    return ::fdatasync(file.get()) == 0 ? 0 : errno;
}

// The thread inherits the signal mask: the event loop handles all signals.
std::thread thread_without_signals(auto function) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread thread(std::move(function));
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return thread;
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

}  // namespace

void disk_sync::shared::serve() {
    std::unique_lock lock(guard);
    for (;;) {
        changed.wait(lock, [this] { return requested || stopping; });
        if (stopping) return;
        requested = false;
        lock.unlock();
        error = sync_file(path);
        const std::uint64_t increment = 1;
        [[maybe_unused]] const auto n = ::write(completed.get(), &increment, sizeof increment);
        lock.lock();
    }
}

std::shared_ptr<disk_sync> disk_sync::make(asio::any_io_executor executor, std::string path) {
    return std::shared_ptr<disk_sync>(new disk_sync(std::move(executor), std::move(path)));
}

disk_sync::disk_sync(asio::any_io_executor executor, std::string path)
    : executor_(std::move(executor)), path_(std::move(path)) {}

disk_sync::~disk_sync() {
    if (!shared_) return;
    const std::lock_guard lock(shared_->guard);
    shared_->stopping = true;
    shared_->changed.notify_one();
}

asio::awaitable<int> disk_sync::flush() {
    if (path_.empty()) co_return 0;
    if (!next_) next_ = std::make_shared<batch>(executor_);
    const auto mine = next_;
    if (!std::exchange(working_, true)) spawn(executor_, work(), "disk sync");
    co_await mine->done.wait();
    co_return mine->error;
}

// Without a thread, the event loop itself syncs.
void disk_sync::start_thread() {
    auto state = std::make_shared<shared>();
    state->path = path_;
    state->completed.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!state->completed) return;
    try {
        thread_without_signals([state] { state->serve(); }).detach();
        shared_ = std::move(state);
    } catch (const std::system_error& why) {
        static bool reported = false;
        if (!std::exchange(reported, true))
            log(level::warning, "util", "no thread for the disk", {field("reason", why.what())});
    }
}

// One sync by the thread.
asio::awaitable<int> disk_sync::sync_in_thread() {
    unique_fd completion(::fcntl(shared_->completed.get(), F_DUPFD_CLOEXEC, 3));
    {
        const std::lock_guard lock(shared_->guard);
        shared_->requested = true;
        shared_->changed.notify_one();
    }
    if (completion) {
        asio::posix::stream_descriptor completed(executor_, completion.release());
        co_await completed.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    } else {
        pollfd ready{shared_->completed.get(), POLLIN, 0};
        while (::poll(&ready, 1, -1) < 0 && errno == EINTR) {
        }
    }
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = ::read(shared_->completed.get(), &count, sizeof count);
    co_return shared_->error;
}

asio::awaitable<void> disk_sync::work() {
    const auto self = shared_from_this();
    if (!shared_) start_thread();
    while (next_) {
        const auto current = std::exchange(next_, nullptr);
        if (shared_) {
            current->error = co_await sync_in_thread();
        } else {
            current->error = sync_file(path_);
        }
        current->done.set();
    }
    working_ = false;
}

}  // namespace hob::util
