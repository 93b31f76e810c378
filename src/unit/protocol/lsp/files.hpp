#pragma once
// Which files of a project have changed since they were looked at last. Looking is what a call does first, so
// that its answer is about what is on the disk then: the kernel's events of all that was written before are
// waiting by then. Where folders cannot be watched, each look goes over all files.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/watch/folder_watches.hpp"

namespace hob::unit {

// What stat says of a file's content.
struct file_state {
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const file_state&) const = default;
};

class lsp_files {
public:
    explicit lsp_files(std::string root) : root_(std::move(root)), watches_(root_) {}

    // Learns what is there; before the first look. Others get their turn meanwhile.
    boost::asio::awaitable<void> begin(boost::asio::any_io_executor executor);

    enum class change_kind { created = 1, changed = 2, deleted = 3 };
    struct change {
        std::string path;  // absolute
        change_kind what;
    };
    // Since the last time, sorted by path. What begins with a dot, node_modules, and folders that hold a
    // CMakeCache.txt are left out, and so is what is beyond limits::lsp_files_max.
    std::vector<change> look();

    const std::string& root() const { return root_; }
    bool watching() const { return watches_.is_open(); }

private:
    // Names of files by folder; both relative to the root.
    using names = std::map<std::string, std::set<std::string>>;

    void enter(std::string dir);
    void enter_one(const std::string& dir, std::vector<std::string>& below);
    void leave(const std::string& dir);
    void handle(const folder_watches::event& event);
    void handle_file(const std::string& path, std::uint32_t mask);
    void touch(const std::string& path, bool existed);
    bool exists(const std::string& path) const;
    void look_at_all();
    void compare(const names& before);
    void give_up(const folder_watches::refusal& why);
    std::map<std::string, file_state> scan() const;
    std::vector<change> look_without_watches();

    std::string root_;
    folder_watches watches_;
    names names_;
    std::size_t count_ = 0;                    // files in names_
    std::map<std::string, bool> touched_;      // since the last look; whether it existed then
    bool learning_ = true;                     // what is found is not new
    timespec looked_at_{};                     // the last time, by the clock that files are stamped with
    std::map<std::string, file_state> known_;  // without watches; absolute paths
};

}  // namespace hob::unit
