#include "unit/watch/folder_watches.hpp"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "error.hpp"

namespace hob::unit {
namespace {

constexpr std::uint32_t watched_events = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE |
                                         IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW |
                                         IN_EXCL_UNLINK;
constexpr std::size_t read_buffer_size = 16384;  // bytes

// Types of statfs(2). The last three are CIFS, SMB2 and FUSE, which no header defines.
constexpr std::array<unsigned, 8> remote_file_systems{NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CEPH_SUPER_MAGIC,
                                                      AFS_SUPER_MAGIC, V9FS_MAGIC,      0xff534d42u,
                                                      0xfe534d42u,     0x65735546u};

bool reports_all_changes(const std::string& root) {
    struct statfs facts {};
    if (::statfs(root.c_str(), &facts) != 0) return true;
    const auto type = static_cast<unsigned>(facts.f_type);
    return std::find(remote_file_systems.begin(), remote_file_systems.end(), type) ==
           remote_file_systems.end();
}

}  // namespace

std::vector<folder_entry> folder_entries(const std::string& path) {
    std::vector<folder_entry> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
        unsigned type = entry->d_type;
        if (type == DT_UNKNOWN) {
            struct stat facts {};
            if (::lstat((path + "/" + entry->d_name).c_str(), &facts) == 0) type = IFTODT(facts.st_mode);
        }
        found.push_back({entry->d_name, type == DT_DIR, type == DT_REG});
    }
    return found;
}

std::optional<folder_watches::refusal> folder_watches::open(util::unique_fd earlier) {
    if (!reports_all_changes(root_)) {
        return refusal{"the kernel does not see all changes of such a file system",
                       "keep the project on a local disk"};
    }
    inotify_ = std::move(earlier);
    if (!inotify_) inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (inotify_) return std::nullopt;
    return refusal{errno_text(errno), "raise fs.inotify.max_user_instances"};
}

void folder_watches::close() {
    inotify_.reset();
    folders_.clear();
    buffer_.clear();
    offset_ = 0;
}

std::optional<folder_watches::refusal> folder_watches::add(const std::string& dir, bool is_symlink) {
    const std::uint32_t events = is_symlink ? watched_events & ~IN_DONT_FOLLOW : watched_events;
    const int watch = ::inotify_add_watch(inotify_.get(), full(dir).c_str(), events);
    if (watch >= 0) {
        folders_[watch] = dir;
    } else if (errno == ENOSPC || errno == ENOMEM) {
        return refusal{errno_text(errno), "raise fs.inotify.max_user_watches"};
    }
    return std::nullopt;
}

void folder_watches::drop_unless(const std::function<bool(const std::string& dir)>& keeps) {
    for (auto at = folders_.begin(); at != folders_.end();) {
        if (keeps(at->second)) {
            ++at;
            continue;
        }
        ::inotify_rm_watch(inotify_.get(), at->first);
        at = folders_.erase(at);
    }
}

void folder_watches::drop_below(const std::string& dir) {
    drop_unless([&](const std::string& each) { return each != dir && !each.starts_with(dir + "/"); });
}

bool folder_watches::fill() {
    if (!inotify_) return false;
    if (offset_ < buffer_.size()) return true;
    buffer_.resize(read_buffer_size);
    offset_ = 0;
    const ssize_t count = ::read(inotify_.get(), buffer_.data(), buffer_.size());
    buffer_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return count > 0;
}

std::optional<folder_watches::event> folder_watches::next() {
    while (offset_ < buffer_.size()) {
        inotify_event raw{};
        std::memcpy(&raw, buffer_.data() + offset_, sizeof raw);
        const std::string name =
            raw.len > 0 ? std::string(buffer_.data() + offset_ + sizeof raw) : std::string();
        offset_ += sizeof raw + raw.len;
        if ((raw.mask & IN_Q_OVERFLOW) != 0) return event{{}, raw.mask};
        const auto folder = folders_.find(raw.wd);
        if (folder == folders_.end()) continue;
        if ((raw.mask & IN_IGNORED) != 0) {
            folders_.erase(folder);
        } else if (!name.empty()) {
            return event{folder->second.empty() ? name : folder->second + "/" + name, raw.mask};
        }
    }
    buffer_ = {};  // also frees the memory: the next event may be long in coming
    offset_ = 0;
    return std::nullopt;
}

}  // namespace hob::unit
