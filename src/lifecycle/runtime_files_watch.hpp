#pragma once
// Watches the files that a daemon depends on, by inotify: its socket, its pid file, its project root.

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

// Which file a path names at one moment.
struct file_identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const file_identity&) const = default;
};

std::string text_of(const file_identity& file);  // equal for equal ones only
std::optional<file_identity> identity_of(const std::string& path);  // without following a final symlink

struct runtime_files_watch_options {
    std::function<void()> files_changed;  // one of them may have changed: compare identities
};

class runtime_files_watch {
public:
    // Without inotify (a user often has 128 instances at most) watching() is false, and error() says why.
    runtime_files_watch(const boost::asio::any_io_executor& executor, const instance& where,
                        runtime_files_watch_options options);

    bool watching() const { return inotify_.is_open(); }
    const std::string& error() const { return error_; }  // also if only a part is watched; empty: none

    // Watches the socket and the pid file that exist now.
    void watch_runtime_files();

    boost::asio::awaitable<void> run();  // until stop()
    void stop();

private:
    void watch_root();
    bool is_relevant(std::string_view events) const;  // inotify_event records
    void add(const std::string& path, unsigned events);

    instance where_;
    runtime_files_watch_options options_;
    boost::asio::posix::stream_descriptor inotify_;
    std::string error_;
};

}  // namespace hob::lifecycle
