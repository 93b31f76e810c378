#include "lifecycle/runtime_files_watch.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "error.hpp"

namespace hob::lifecycle {
namespace {

// The daemon keeps the socket's inode open, so its removal is reported as a change of the link count
// (IN_ATTRIB).
constexpr unsigned file_events = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
constexpr unsigned parent_events = IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR;

}  // namespace

std::string text_of(const file_identity& file) { return fmt::format("{}:{}", file.device, file.inode); }

std::optional<file_identity> identity_of(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
    return file_identity{found.st_dev, found.st_ino};
}

runtime_files_watch::runtime_files_watch(const boost::asio::any_io_executor& executor, const instance& where,
                                         runtime_files_watch_options options)
    : where_(where), options_(std::move(options)), inotify_(executor) {
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        error_ = errno_text(errno);
        return;
    }
    inotify_.assign(fd);
    watch_runtime_files();
    watch_root();
}

void runtime_files_watch::add(const std::string& path, unsigned events) {
    if (!inotify_.is_open()) return;
    if (::inotify_add_watch(inotify_.native_handle(), path.c_str(), events) < 0) error_ = errno_text(errno);
}

void runtime_files_watch::watch_runtime_files() {
    add(where_.socket_path(), file_events);
    add(where_.pid_path(), file_events);
}

// Watches the ancestors too: a rename of one moves the root. An inotify instance has one watch a directory,
// so events are added to it (IN_MASK_ADD).
void runtime_files_watch::watch_root() {
    std::string path = where_.root;
    add(path, IN_MOVE_SELF | IN_DELETE_SELF | IN_MASK_ADD);
    for (bool parent_of_root = true; path != "/"; parent_of_root = false) {
        const auto slash = path.rfind('/');
        path = slash == 0 ? "/" : path.substr(0, slash);
        add(path, IN_MOVE_SELF | IN_MASK_ADD | (parent_of_root ? parent_events : 0));
    }
}

// An event with a name is about an entry of the root's parent: relevant only if that entry is the root.
bool runtime_files_watch::is_relevant(std::string_view events) const {
    const std::string_view root = std::string_view(where_.root).substr(where_.root.rfind('/') + 1);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= events.size();) {
        inotify_event event{};
        std::memcpy(&event, events.data() + at, sizeof event);
        if (event.len == 0 || root == events.data() + at + sizeof event) return true;
        at += sizeof event + event.len;
    }
    return false;
}

boost::asio::awaitable<void> runtime_files_watch::run() {
    char events[4096];
    while (inotify_.is_open()) {
        boost::system::error_code error;
        const auto into = boost::asio::buffer(events);
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
        const std::size_t size = co_await inotify_.async_read_some(into, token);
        if (error) co_return;
        if (is_relevant({events, size})) options_.files_changed();
    }
}

void runtime_files_watch::stop() {
    boost::system::error_code ignored;
    inotify_.close(ignored);
}

}  // namespace hob::lifecycle
