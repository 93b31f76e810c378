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
#include "util/log.hpp"

namespace hob::util {

struct disk_sync::batch {
    explicit batch(const asio::any_io_executor& executor) : done(executor) {}
    manual_reset_event done;
    int error = 0;
};

// Between the loop and the thread. One request at a time.
struct disk_sync::shared {
    std::mutex guard;
    std::condition_variable changed;
    std::string path;
    bool asked = false;
    bool over = false;
    std::atomic<int> error = 0;
    unique_fd answered;  // an eventfd: what the loop waits for

    void serve();
};

namespace {

int sync_file(const std::string& path) {
    const auto file = open_file(path, O_RDWR | O_NOFOLLOW);
    if (!file) return errno == ENOENT ? 0 : errno;
    return ::fdatasync(file.get()) == 0 ? 0 : errno;
}

// The thread inherits the mask: signals are the loop's.
std::thread without_signals(auto function) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread made(std::move(function));
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return made;
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

}  // namespace

void disk_sync::shared::serve() {
    std::unique_lock lock(guard);
    for (;;) {
        changed.wait(lock, [this] { return asked || over; });
        if (over) return;
        asked = false;
        lock.unlock();
        error = sync_file(path);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(answered.get(), &one, sizeof one);
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
    shared_->over = true;
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

// Where there can be none, the loop waits after all.
void disk_sync::start_thread() {
    auto made = std::make_shared<shared>();
    made->path = path_;
    made->answered.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made->answered) return;
    try {
        without_signals([made] { made->serve(); }).detach();
        shared_ = std::move(made);
    } catch (const std::system_error& why) {
        log(level::warning, "util", "no thread for the disk", {field("reason", why.what())});
    }
}

asio::awaitable<void> disk_sync::work() {
    const auto self = shared_from_this();
    if (!shared_) start_thread();
    while (next_) {
        const auto now = std::exchange(next_, nullptr);
        if (shared_) {
            unique_fd waited(::fcntl(shared_->answered.get(), F_DUPFD_CLOEXEC, 3));
            {
                const std::lock_guard lock(shared_->guard);
                shared_->asked = true;
                shared_->changed.notify_one();
            }
            if (waited) {
                asio::posix::stream_descriptor answered(executor_, waited.release());
                co_await answered.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
            } else {
                pollfd answer{shared_->answered.get(), POLLIN, 0};
                while (::poll(&answer, 1, -1) < 0 && errno == EINTR) {
                }
            }
            std::uint64_t count = 0;
            [[maybe_unused]] const auto n = ::read(shared_->answered.get(), &count, sizeof count);
            now->error = shared_->error;
        } else {
            now->error = sync_file(path_);
        }
        now->done.set();
    }
    working_ = false;
}

}  // namespace hob::util
