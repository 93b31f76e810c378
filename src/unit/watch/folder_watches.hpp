#pragma once
// inotify watches of folders below a root, by their paths. The owner chooses the folders.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "util/fd.hpp"

namespace hob::unit {

// The entries of a folder without `.` and `..`; a symlink is a file, whatever it points to. Empty when the
// folder cannot be read.
struct folder_entry {
    std::string name;
    bool directory;
    bool regular;
};
std::vector<folder_entry> folder_entries(const std::string& path);

class folder_watches {
public:
    // Paths are relative to the root; the root itself is "".
    struct event {
        std::string path;
        std::uint32_t mask;  // inotify(7)'s. IN_Q_OVERFLOW: events were lost, and the path means nothing
    };

    struct refusal {
        std::string reason, hint;
    };

    explicit folder_watches(std::string root) : root_(std::move(root)) {}

    // nullopt, or why no folder can be watched here. The kernel does not see the changes that others make on
    // a network or FUSE file system, so those are refused.
    // `earlier`: a descriptor of inotify(7) with watches of the same folders. What it has queued is told once
    // add() has named each folder again.
    std::optional<refusal> open(util::unique_fd earlier = {});
    void close();
    bool is_open() const { return static_cast<bool>(inotify_); }
    int descriptor() const { return inotify_.get(); }  // readable: call fill()
    // The watched folders, by the numbers of their watches. With them another program goes on, where nothing
    // was filled and not told.
    const std::unordered_map<int, std::string>& folders() const { return folders_; }
    void restore(util::unique_fd inotify, std::unordered_map<int, std::string> folders) {
        inotify_ = std::move(inotify);
        folders_ = std::move(folders);
    }

    // nullopt, or why an existing folder cannot be watched.
    std::optional<refusal> add(const std::string& dir, bool is_symlink = false);
    void drop_below(const std::string& dir);  // it and all below it
    void drop_unless(const std::function<bool(const std::string& dir)>& keeps);
    std::size_t size() const { return folders_.size(); }

    // Reads events of the kernel without waiting. False: there are none.
    bool fill();
    // The next of the events read. Events of folders that were dropped since are left out.
    std::optional<event> next();

    std::string full(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }

private:
    std::string root_;
    util::unique_fd inotify_;
    std::unordered_map<int, std::string> folders_;
    std::vector<char> buffer_;
    std::size_t offset_ = 0;  // in buffer_
};

}  // namespace hob::unit
