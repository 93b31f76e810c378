#include "util/time_zone/time_zone_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "error.hpp"

namespace hob::util {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t name_events =
    IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ATTRIB;

std::pair<std::string, std::string> split(const std::string& path) {
    const auto slash = path.rfind('/');
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// Empty where it cannot be resolved.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
    return resolved ? resolved.get() : std::string();
}

}  // namespace

void reload_time_zone() {
    const char* zone = std::getenv("TZ");
    const std::string kept = zone ? zone : "";
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    if (zone) {
        ::setenv("TZ", kept.c_str(), 1);
    } else {
        ::unsetenv("TZ");
    }
    ::tzset();
}

struct time_zone_watch::state : std::enable_shared_from_this<time_zone_watch::state> {
    state(const asio::any_io_executor& executor, std::string watched, std::function<void()> call)
        : path(std::move(watched)), changed(std::move(call)), descriptor(executor) {
        const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd < 0) throw denied("watch", path, errno);
        descriptor.assign(fd);
        watch();
    }

    // The folder of the link and that of its target: a replacement by rename is seen as well as a write.
    void watch() {
        for (const auto& [number, name] : names)
            ::inotify_rm_watch(descriptor.native_handle(), number);
        names.clear();
        const std::string target = real_path(path);
        for (const std::string& file : {path, target}) {
            if (file.empty()) continue;
            const auto [folder, name] = split(file);
            const int number = ::inotify_add_watch(descriptor.native_handle(), folder.c_str(), name_events);
            if (number >= 0) names.emplace(number, name);
        }
        // A file that is mounted over the target gives events only itself.
        if (target.empty()) return;
        const int number = ::inotify_add_watch(descriptor.native_handle(), target.c_str(),
                                               IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
        if (number >= 0) names.emplace(number, "");
    }

    void wait() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this()](const boost::system::error_code& error) {
                                  if (error || self->closed) return;
                                  if (self->read_events()) {
                                      self->watch();
                                      reload_time_zone();
                                      self->changed();
                                  }
                                  if (!self->closed) self->wait();
                              });
    }

    // Whether one of them is about the link or its target.
    bool read_events() {
        alignas(inotify_event) std::array<char, 4096> bytes;
        bool relevant = false;
        for (;;) {
            const ssize_t count = ::read(descriptor.native_handle(), bytes.data(), bytes.size());
            if (count <= 0) return relevant;
            for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
                inotify_event event{};
                std::memcpy(&event, bytes.data() + at, sizeof event);
                const char* name = event.len > 0 ? bytes.data() + at + sizeof event : "";
                const auto [from, to] = names.equal_range(event.wd);
                for (auto each = from; each != to; ++each)
                    relevant = relevant || each->second == std::string_view(name);
                at += sizeof event + event.len;
            }
        }
    }

    std::string path;
    std::function<void()> changed;
    asio::posix::stream_descriptor descriptor;
    std::multimap<int, std::string> names;  // by watch; the link and its target may be in one folder
    bool closed = false;
};

time_zone_watch::time_zone_watch(const asio::any_io_executor& executor, std::string path,
                                 std::function<void()> changed)
    : state_(std::make_shared<state>(executor, std::move(path), std::move(changed))) {
    state_->wait();
}

time_zone_watch::~time_zone_watch() {
    state_->closed = true;
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
}

}  // namespace hob::util
