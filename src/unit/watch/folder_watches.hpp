#pragma once
// The folders below a root that inotify watches, by their paths. Which folders those are is for its owner to
// say.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "util/fd.hpp"

namespace hob::unit {

// What is in a folder, `.` and `..` left out; symlinks are files, wherever they lead. Empty where it cannot
// be read.
struct folder_entry {
    std::string name;
    bool directory;
    bool regular;
};
std::vector<folder_entry> folder_entries(const std::string& path);

class folder_watches {
public:
    // Paths are relative to the root, which itself is "".
    struct event {
        std::string path;
        std::uint32_t mask;  // inotify(7)'s. IN_Q_OVERFLOW: events were lost, and the path means nothing
    };

    struct refusal {
        std::string reason, hint;
    };

    explicit folder_watches(std::string root) : root_(std::move(root)) {}

    // nullopt, or why no folder can be watched here. On network and FUSE file systems the kernel does not
    // learn of what others change, so those cannot.
    std::optional<refusal> open();
    void close();
    bool is_open() const { return static_cast<bool>(inotify_); }
    int descriptor() const { return inotify_.get(); }  // readable: fill() has something

    // nullopt, or why it cannot be watched though it is there.
    std::optional<refusal> add(const std::string& dir);
    void drop_below(const std::string& dir);  // it and all below it
    void drop_unless(const std::function<bool(const std::string& dir)>& kept);
    std::size_t size() const { return folders_.size(); }

    // Takes some of what the kernel has to tell, without waiting. False: nothing.
    bool fill();
    // The next of that. Events of folders that were dropped meanwhile are left out.
    std::optional<event> next();

    std::string full(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }

private:
    std::string root_;
    util::unique_fd inotify_;
    std::unordered_map<int, std::string> folders_;
    std::vector<char> told_;
    std::size_t at_ = 0;  // in told_
};

}  // namespace hob::unit
