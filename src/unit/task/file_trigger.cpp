#include "unit/task/file_trigger.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/watch/folder_watches.hpp"
#include "unit/watch/gitignore.hpp"
#include "unit/watch/glob.hpp"
#include "util/async.hpp"
#include "util/log.hpp"
#include "util/timer.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

namespace {

constexpr std::size_t paths_max = 10000;  // reported one by one

std::vector<glob> globs_of(const std::vector<std::string>& patterns) {
    return {patterns.begin(), patterns.end()};
}

}  // namespace

struct file_trigger::state : std::enable_shared_from_this<file_trigger::state> {
    using clock = std::chrono::steady_clock;
    using signature = std::tuple<ino_t, off_t, std::int64_t>;
    using snapshot = std::map<std::string, signature>;

    state(const asio::any_io_executor& on, std::string base, const unit_spec& spec, callback report)
        : executor(on),
          root(std::move(base)),
          unit(spec.name),
          watched(globs_of(std::get<task_spec>(spec.detail).watch)),
          ignored(globs_of(std::get<task_spec>(spec.detail).ignore)),
          debounce(std::get<task_spec>(spec.detail).debounce),
          on_change(std::move(report)),
          watches(root),
          readable(on),
          debounce_timer(on) {
        if (std::get<task_spec>(spec.detail).gitignore) git.emplace(root);
        if (const auto refused = watches.open()) {
            fall_back_to_polling(*refused);
        } else {
            readable.assign(watches.descriptor());
        }
    }
    ~state() { stop(); }

    void stop() {
        stopped = true;
        if (readable.is_open()) readable.release();  // `watches` owns the descriptor
        watches.close();
    }

    bool is_ignored(const std::string& path, bool directory) {
        const auto covers = [&](const glob& pattern) { return pattern.covers(path); };
        if (std::any_of(ignored.begin(), ignored.end(), covers)) return true;
        if (!git) return false;
        return path == ".git" || path.starts_with(".git/") || git->ignores(path, directory);
    }
    bool is_watched(const std::string& path) {
        const auto covers = [&](const glob& pattern) { return pattern.covers(path); };
        return std::any_of(watched.begin(), watched.end(), covers) && !is_ignored(path, false);
    }
    bool may_contain_match(const std::string& dir) {
        const auto may = [&](const glob& pattern) { return pattern.may_cover_below(dir); };
        return std::any_of(watched.begin(), watched.end(), may) && (dir.empty() || !is_ignored(dir, true));
    }

    // Without inotify events the files are compared at intervals.
    void fall_back_to_polling(const folder_watches::refusal& why) {
        if (std::exchange(polling, true)) return;
        log(level::warning, "unit",
            "not all folders can be watched; the files are looked at every two seconds instead",
            {field("unit", unit), field("reason", why.reason), field("hint", why.hint)});
    }

    // Watches `dir` and all folders below it. `report`: the files found there are new.
    asio::awaitable<void> scan(std::string dir, bool report) {
        std::vector<std::string> pending_folders{std::move(dir)};
        for (std::size_t count = 1; !pending_folders.empty() && !stopped; ++count) {
            const std::string folder = std::move(pending_folders.back());
            pending_folders.pop_back();
            if (!may_contain_match(folder)) continue;
            if (const auto refused = watches.is_open() ? watches.add(folder) : std::nullopt)
                fall_back_to_polling(*refused);
            for (const auto& [name, directory, regular] : folder_entries(watches.full(folder))) {
                std::string path = folder.empty() ? name : folder + "/" + name;
                if (directory) {
                    pending_folders.push_back(std::move(path));
                } else if (report && is_watched(path)) {
                    changed(std::move(path));
                }
            }
            if (count % limits::folders_in_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
        }
    }

    void changed(std::string path) {
        if (pending.size() < paths_max) {
            pending.insert(std::move(path));
        } else {
            note = fmt::format("more than {} files", paths_max);
        }
        schedule_report();
    }

    // Reports the changes once none has come for `debounce`.
    void schedule_report() {
        last_change = clock::now();
        if (!std::exchange(report_scheduled, true))
            util::spawn(executor, debounced_report(), "watch " + unit);
    }

    asio::awaitable<void> debounced_report() {
        const auto self = shared_from_this();
        while (!stopped && clock::now() < last_change + debounce) {
            debounce_timer.expires_at(last_change + debounce);
            boost::system::error_code error;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            co_await debounce_timer.async_wait(token);
        }
        report_scheduled = false;
        if (stopped) co_return;
        std::vector<std::string> paths(pending.begin(), pending.end());
        pending.clear();
        const callback report = on_change;  // the callback may stop this trigger
        report(std::move(paths), std::exchange(note, {}));
    }

    asio::awaitable<void> run() {
        const auto self = shared_from_this();
        const auto began = clock::now();
        co_await scan({}, false);
        if (polling) util::spawn(executor, poll(list_files()), "watch " + unit);
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
        log(level::info, "unit", "watching",
            {field("unit", unit), field("folders", watches.size()), field("after_ms", took.count())});
        while (readable.is_open() && !stopped) {
            boost::system::error_code error;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            co_await readable.async_wait(asio::posix::stream_descriptor::wait_read, token);
            if (error || stopped) co_return;
            const bool was_polling = polling;
            watches.fill();
            while (auto event = stopped ? std::nullopt : watches.next()) {
                co_await handle(std::move(*event));
            }
            if (polling && !was_polling) util::spawn(executor, poll(list_files()), "watch " + unit);
        }
    }

    asio::awaitable<void> handle(folder_watches::event event) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            log(level::warning, "unit",
                "changes came faster than they could be read; the tree is looked at anew",
                {field("unit", unit), field("hint", "raise fs.inotify.max_queued_events")});
            note = "the kernel lost count of the changes";
            schedule_report();
            if (git) git->forget();
            co_await scan({}, false);
            co_return;
        }
        if ((event.mask & IN_ISDIR) != 0) {
            co_await folder_changed(event.mask, event.path);
            co_return;
        }
        if (is_watched(event.path)) changed(event.path);
        const bool is_gitignore = event.path == ".gitignore" || event.path.ends_with("/.gitignore");
        if (!is_gitignore || !git) co_return;
        // Ignored folders may have to be watched now, and watched ones may be ignored.
        git->forget();
        watches.drop_unless([this](const std::string& dir) { return may_contain_match(dir); });
        co_await scan({}, false);
    }

    asio::awaitable<void> folder_changed(std::uint32_t mask, std::string path) {
        if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
            if ((mask & IN_MOVED_FROM) != 0 && may_contain_match(path)) changed(path);
            watches.drop_below(path);
        }
        if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
            co_await scan(path, true);
        }
    }

    snapshot list_files() {
        snapshot files;
        std::vector<std::string> pending_folders{{}};
        while (!pending_folders.empty()) {
            const std::string folder = std::move(pending_folders.back());
            pending_folders.pop_back();
            if (!may_contain_match(folder)) continue;
            for (const auto& [name, directory, regular] : folder_entries(watches.full(folder))) {
                std::string path = folder.empty() ? name : folder + "/" + name;
                if (directory) {
                    pending_folders.push_back(std::move(path));
                    continue;
                }
                struct stat facts {};
                if (!is_watched(path) || ::lstat(watches.full(path).c_str(), &facts) != 0) continue;
                const std::int64_t time = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
                files.emplace(std::move(path), signature(facts.st_ino, facts.st_size, time));
            }
        }
        return files;
    }

    asio::awaitable<void> poll(snapshot before) {
        const auto self = shared_from_this();
        while (!stopped) {
            co_await util::pause(limits::watch_look_again);
            if (stopped) co_return;
            if (git) git->forget();
            snapshot current = list_files();
            for (const auto& [path, sign] : current) {
                const auto old = before.find(path);
                if (old == before.end() || old->second != sign) changed(path);
            }
            for (const auto& [path, sign] : before) {
                if (!current.contains(path)) changed(path);
            }
            before = std::move(current);
        }
    }

    asio::any_io_executor executor;
    std::string root;
    std::string unit;
    std::vector<glob> watched, ignored;
    std::optional<gitignore> git;
    std::chrono::milliseconds debounce;
    callback on_change;
    folder_watches watches;
    asio::posix::stream_descriptor readable;  // of `watches`, which owns the descriptor
    util::timer debounce_timer;
    std::set<std::string> pending;
    std::string note;
    std::set<std::string> deferred;  // changed during a run
    std::string deferred_note;
    bool has_deferred = false;
    clock::time_point last_change{};
    bool report_scheduled = false;
    bool polling = false;
    bool stopped = false;
};

std::shared_ptr<file_trigger> file_trigger::make(const asio::any_io_executor& executor, std::string root,
                                                 const unit_spec& spec, callback on_change) {
    const auto made = std::make_shared<state>(executor, std::move(root), spec, std::move(on_change));
    util::spawn(executor, made->run(), "watch " + spec.name);
    return std::shared_ptr<file_trigger>(new file_trigger(made));
}

file_trigger::~file_trigger() { stop(); }

void file_trigger::stop() {
    state_->on_change = [](const std::vector<std::string>&, const std::string&) {};
    state_->stop();
    state_->debounce_timer.cancel();
}

void file_trigger::defer(std::vector<std::string> paths, const std::string& note) {
    state_->has_deferred = true;
    state_->deferred.insert(paths.begin(), paths.end());
    if (!note.empty()) state_->deferred_note = note;
}

void file_trigger::report_deferred() {
    state& trigger = *state_;
    if (!std::exchange(trigger.has_deferred, false)) return;
    trigger.pending.merge(trigger.deferred);
    trigger.deferred.clear();
    if (!trigger.deferred_note.empty()) trigger.note = std::exchange(trigger.deferred_note, {});
    trigger.schedule_report();
}

}  // namespace hob::unit
