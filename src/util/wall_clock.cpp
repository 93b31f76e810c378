#include "util/wall_clock.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "error.hpp"

namespace hob::util {

namespace asio = boost::asio;

struct wall_clock::state : std::enable_shared_from_this<wall_clock::state> {
    struct alarm {
        time_point when;
        std::function<void()> on_due;
    };

    explicit state(const asio::any_io_executor& executor) : descriptor(executor) {
        const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (fd < 0) throw denied("make", "a timer", errno);
        descriptor.assign(fd);
    }

    void arm() {
        std::optional<time_point> due;
        for (const auto& [owner, alarm_of] : alarms)
            due = due ? std::min(*due, alarm_of.when) : alarm_of.when;
        itimerspec setting{};  // zero: disarmed
        if (due) {
            const auto since = due->time_since_epoch();
            const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
            setting.it_value.tv_sec = std::max<std::int64_t>(seconds.count(), 0);
            setting.it_value.tv_nsec = std::chrono::nanoseconds(since - seconds).count();
            if (setting.it_value.tv_sec == 0 && setting.it_value.tv_nsec == 0) setting.it_value.tv_nsec = 1;
        }
        ::timerfd_settime(descriptor.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &setting,
                          nullptr);
        if (due && !waiting) {
            wait();
        } else if (!due && waiting) {
            boost::system::error_code ignored;
            descriptor.cancel(ignored);
        }
    }

    void wait() {
        waiting = true;
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this()](const boost::system::error_code& error) {
                                  self->waiting = false;
                                  if (self->closed) return;
                                  if (!error) self->on_wakeup();
                                  self->arm();
                              });
    }

    void on_wakeup() {
        std::uint64_t times = 0;
        const bool set = ::read(descriptor.native_handle(), &times, sizeof times) < 0 && errno == ECANCELED;
        const auto now = std::chrono::system_clock::now();
        std::vector<std::function<void()>> due_now;
        for (auto at = alarms.begin(); at != alarms.end();) {
            if (set || at->second.when <= now) {
                due_now.push_back(std::move(at->second.on_due));
                at = alarms.erase(at);
            } else {
                ++at;
            }
        }
        for (const auto& on_due : due_now)
            on_due();
    }

    asio::posix::stream_descriptor descriptor;
    std::map<const void*, alarm> alarms;
    bool waiting = false;
    bool closed = false;
};

wall_clock::wall_clock(const asio::any_io_executor& executor) : state_(std::make_shared<state>(executor)) {}

wall_clock::~wall_clock() {
    state_->closed = true;
    state_->alarms.clear();
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
}

void wall_clock::set(const void* owner, time_point when, std::function<void()> on_due) {
    state_->alarms.insert_or_assign(owner, state::alarm{when, std::move(on_due)});
    state_->arm();
}

void wall_clock::clear(const void* owner) {
    if (state_->alarms.erase(owner) > 0) state_->arm();
}

}  // namespace hob::util
