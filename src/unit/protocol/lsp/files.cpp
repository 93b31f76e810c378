#include "unit/protocol/lsp/files.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <utility>

#include "limits.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr int reads_max = 1000;  // more than the kernel queues: all events up to now are read
constexpr std::int64_t stamp_slack_ns = 20'000'000;  // file times are those of the last clock tick

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

file_state state_of(const struct stat& found) {
    return {nanoseconds(found.st_mtim), nanoseconds(found.st_ctim), static_cast<std::uint64_t>(found.st_size),
            found.st_ino};
}

bool is_regular(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

constexpr std::string_view build_tree_mark = "CMakeCache.txt";

bool is_build_tree(const std::string& dir) {
    struct stat found {};
    return ::lstat((dir + "/" + std::string(build_tree_mark)).c_str(), &found) == 0;
}

bool is_left_out(std::string_view name) { return name.starts_with('.') || name == "node_modules"; }

std::pair<std::string, std::string> split(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {{}, path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string join(const std::string& dir, const std::string& name) {
    return dir.empty() ? name : dir + "/" + name;
}

}  // namespace

asio::awaitable<void> lsp_files::start(asio::any_io_executor executor) {
    ::clock_gettime(CLOCK_REALTIME, &last_look_);
    std::vector<std::string> pending{{}};
    if (const auto refused = watches_.open()) stop_watching(*refused);
    for (std::size_t count = 1; watches_.is_open() && !pending.empty(); ++count) {
        const std::string dir = std::move(pending.back());
        pending.pop_back();
        add_folder(dir, pending);
        if (count % limits::folders_in_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
    }
    scanning_ = false;
    if (!watches_.is_open()) names_.clear();  // from here on last_scan_ is used
}

void lsp_files::add_folders(std::string dir) {
    std::vector<std::string> pending{std::move(dir)};
    while (!pending.empty()) {
        const std::string next = std::move(pending.back());
        pending.pop_back();
        add_folder(next, pending);
    }
}

// Watch the folder before reading it: a file that is made in between is seen twice instead of never.
void lsp_files::add_folder(const std::string& dir, std::vector<std::string>& below) {
    if (!watches_.is_open() || count_ >= limits::lsp_files_max) return;
    const std::string path = watches_.full(dir);
    if (!dir.empty() && is_build_tree(path)) return;
    if (watches_.size() >= limits::lsp_folders_max)
        return stop_watching({"they are too many", "see doc/workers.md"});
    if (const auto refused = watches_.add(dir)) return stop_watching(*refused);
    for (const auto& [name, directory, regular] : folder_entries(path)) {
        if (is_left_out(name)) continue;
        const std::string inside = join(dir, name);
        if (directory) below.push_back(inside);
        if (!regular || !names_[dir].insert(name).second) continue;
        ++count_;
        if (!scanning_) record(inside, false);
    }
}

void lsp_files::remove_folder(const std::string& dir) {
    watches_.drop_below(dir);
    const auto forget = [this](names::iterator at) {
        for (const auto& name : at->second)
            record(join(at->first, name), true);
        count_ -= at->second.size();
        return names_.erase(at);
    };
    if (const auto itself = names_.find(dir); itself != names_.end()) forget(itself);
    const std::string prefix = dir + "/";
    for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix);)
        at = forget(at);
}

void lsp_files::record(const std::string& path, bool existed) { changed_.emplace(path, existed); }

bool lsp_files::exists(const std::string& path) const {
    const auto [dir, name] = split(path);
    const auto folder = names_.find(dir);
    return folder != names_.end() && folder->second.contains(name);
}

void lsp_files::on_event(const folder_watches::event& event) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return rescan();
    const std::string name = split(event.path).second;
    if (is_left_out(name)) return;
    if ((event.mask & IN_ISDIR) == 0) return on_file_event(event.path, event.mask);
    if ((event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0) remove_folder(event.path);
    if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) add_folders(event.path);
}

void lsp_files::on_file_event(const std::string& path, std::uint32_t mask) {
    const auto [dir, name] = split(path);
    const bool appeared = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    if (appeared && name == build_tree_mark && !dir.empty()) return remove_folder(dir);
    if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
        const auto folder = names_.find(dir);
        if (folder == names_.end() || folder->second.erase(name) == 0) return;
        --count_;
        record(path, true);
    } else if (!appeared) {
        if (exists(path)) record(path, true);
    } else if (is_regular(watches_.full(path))) {
        const bool is_new = names_[dir].insert(name).second;
        count_ += is_new ? 1 : 0;
        record(path, !is_new);
    }
}

// The kernel dropped events.
void lsp_files::rescan() {
    const names before = std::exchange(names_, {});
    count_ = 0;
    scanning_ = true;
    add_folders({});
    scanning_ = false;
    compare(before);
}

// Records the differences between `before` and names_. A file that is in both has changed if its time is
// newer.
void lsp_files::compare(const names& before) {
    const std::int64_t since = nanoseconds(last_look_) - stamp_slack_ns;
    const auto existed = [&](const std::string& dir, const std::string& name) {
        const auto folder = before.find(dir);
        return folder != before.end() && folder->second.contains(name);
    };
    for (const auto& [dir, inside] : names_) {
        for (const auto& name : inside) {
            const std::string path = join(dir, name);
            struct stat found {};
            if (!existed(dir, name)) {
                record(path, false);
            } else if (::lstat(watches_.full(path).c_str(), &found) == 0 &&
                       nanoseconds(found.st_ctim) >= since) {
                record(path, true);
            }
        }
    }
    for (const auto& [dir, inside] : before) {
        for (const auto& name : inside) {
            if (!exists(join(dir, name))) record(join(dir, name), true);
        }
    }
}

void lsp_files::stop_watching(const folder_watches::refusal& why) {
    util::log(util::level::warning, "unit",
              "not all folders can be watched; each call looks at all files instead",
              {util::field("root", root_), util::field("reason", why.reason), util::field("hint", why.hint)});
    watches_.close();
    last_scan_ = scan();
    const names before = std::exchange(names_, {});
    for (const auto& [path, state] : last_scan_) {
        const auto [dir, name] = split(path.substr(root_.size() + 1));
        names_[dir].insert(name);
    }
    if (!scanning_) compare(before);
}

std::map<std::string, file_state> lsp_files::scan() const {
    std::map<std::string, file_state> found;
    std::vector<std::string> pending{root_};
    while (!pending.empty() && found.size() < limits::lsp_files_max) {
        const std::string dir = std::move(pending.back());
        pending.pop_back();
        if (dir != root_ && is_build_tree(dir)) continue;
        for (const auto& [name, directory, regular] : folder_entries(dir)) {
            if (is_left_out(name)) continue;
            const std::string path = dir + "/" + name;
            struct stat status {};
            if (directory) pending.push_back(path);
            if (regular && ::lstat(path.c_str(), &status) == 0) found.emplace(path, state_of(status));
        }
    }
    return found;
}

std::vector<lsp_files::change> lsp_files::compare_scans() {
    auto current = scan();
    std::map<std::string, change_kind> seen;
    for (const auto& [path, state] : current) {
        const auto before = last_scan_.find(path);
        if (before == last_scan_.end()) {
            seen.emplace(path, change_kind::created);
        } else if (before->second != state) {
            seen.emplace(path, change_kind::changed);
        }
    }
    for (const auto& [path, state] : last_scan_) {
        if (!current.contains(path)) seen.emplace(path, change_kind::deleted);
    }
    last_scan_ = std::move(current);
    std::vector<change> found;
    for (const auto& [path, what] : seen)
        found.push_back({path, what});
    return found;
}

std::vector<lsp_files::change> lsp_files::changes() {
    if (!watches_.is_open()) return compare_scans();
    timespec started{};
    ::clock_gettime(CLOCK_REALTIME, &started);
    for (int i = 0; i < reads_max && watches_.fill(); ++i) {
        while (const auto event = watches_.next())
            on_event(*event);
    }
    std::vector<change> found;
    for (const auto& [path, existed] : std::exchange(changed_, {})) {
        const bool is_there = exists(path);
        if (!existed && !is_there) continue;
        found.push_back({root_ + "/" + path, !existed   ? change_kind::created
                                             : is_there ? change_kind::changed
                                                        : change_kind::deleted});
    }
    last_look_ = started;
    if (!watches_.is_open()) names_.clear();  // watching was stopped just now
    return found;
}

}  // namespace hob::unit
