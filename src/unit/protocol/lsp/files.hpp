#pragma once
// The files of a project that have changed since the last call of changes(). A call to the server asks for
// them first, so that its answer is about the files on the disk at that time: the kernel has queued the
// events of earlier changes by then. Where folders cannot be watched, each call goes over all files.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "unit/watch/folder_watches.hpp"

namespace hob::unit {

// The part of stat(2) that changes with the content of a file.
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

    // Reads and watches all folders; call it before changes(). Other coroutines run meanwhile.
    boost::asio::awaitable<void> start(boost::asio::any_io_executor executor);

    enum class change_kind { created = 1, changed = 2, deleted = 3 };
    struct change {
        std::string path;  // absolute
        change_kind what;
    };
    // Since the last call, sorted by path. Without names that begin with a dot, node_modules, folders that
    // hold a CMakeCache.txt, and files beyond limits::lsp_files_max.
    std::vector<change> changes();

    const std::string& root() const { return root_; }
    bool watching() const { return watches_.is_open(); }

    // For restore() of another program, with a descriptor of inotify(7) if folders are watched; nullopt: it
    // cannot be told.
    std::optional<std::string> state(util::unique_fd& inotify) const;
    bool restore(const std::string& state, util::unique_fd inotify);  // instead of start(); false: as above

private:
    // Names of files by folder; both relative to the root.
    using names = std::map<std::string, std::set<std::string>>;

    void add_folders(std::string dir);
    void add_folder(const std::string& dir, std::vector<std::string>& below);
    void remove_folder(const std::string& dir);
    void on_event(const folder_watches::event& event);
    void on_file_event(const std::string& path, std::uint32_t mask);
    void record(const std::string& path, bool existed);
    bool exists(const std::string& path) const;
    void rescan();
    void compare(const names& before);
    void stop_watching(const folder_watches::refusal& why);
    std::map<std::string, file_state> scan() const;
    std::vector<change> compare_scans();

    std::string root_;
    folder_watches watches_;
    names names_;
    std::size_t count_ = 0;                        // files in names_
    std::map<std::string, bool> changed_;          // since the last call; true: the file existed then
    bool scanning_ = true;                         // files that are found are not new
    timespec last_look_{};                         // the last call, by the clock of file times
    std::map<std::string, file_state> last_scan_;  // without watches: absolute paths
};

}  // namespace hob::unit
