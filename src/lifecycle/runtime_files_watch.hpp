#pragma once
// The daemon's eye on the files it stands on: its socket, its pid file, its project root. Told by inotify,
// never polled.

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lifecycle/instance.hpp"

namespace hob::lifecycle {

// Which file a path named when it was looked at.
struct file_identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const file_identity&) const = default;
};

std::optional<file_identity> identity_of(const std::string& path);  // without following a final symlink

struct runtime_files_watch_options {
    std::function<void()> files_changed;  // something happened to one of them: compare now
};

class runtime_files_watch {
public:
    // False from watching(): inotify is not to be had (128 instances a user is a common limit); why() says
    // so.
    runtime_files_watch(const boost::asio::any_io_executor& executor, const instance& where,
                        runtime_files_watch_options options);

    bool watching() const { return inotify_.is_open(); }
    const std::string& why() const { return why_; }

    // The socket or pid file was made anew: watches the new ones.
    void watch_runtime_files();

    boost::asio::awaitable<void> run();  // until stop()
    void stop();

private:
    void watch_root();
    bool concerns_us(std::string_view events) const;  // as inotify(7) has them
    void add(const std::string& path, unsigned events);

    instance where_;
    runtime_files_watch_options options_;
    boost::asio::posix::stream_descriptor inotify_;
    std::string why_;
};

}  // namespace hob::lifecycle
