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

constexpr std::size_t paths_max = 10000;  // told one by one

std::vector<glob> globs_of(const std::vector<std::string>& patterns) {
    return {patterns.begin(), patterns.end()};
}

}  // namespace

struct task_watch::state : std::enable_shared_from_this<task_watch::state> {
    using clock = std::chrono::steady_clock;
    using signature = std::tuple<ino_t, off_t, std::int64_t>;
    using snapshot = std::map<std::string, signature>;

    state(const asio::any_io_executor& on, std::string where, const unit_spec& spec, sink what)
        : executor(on),
          root(std::move(where)),
          unit(spec.name),
          wanted(globs_of(std::get<task_spec>(spec.detail).watch)),
          unwanted(globs_of(std::get<task_spec>(spec.detail).ignore)),
          debounce(std::get<task_spec>(spec.detail).debounce),
          tell(std::move(what)),
          watches(root),
          readable(on),
          quiet(on) {
        if (std::get<task_spec>(spec.detail).gitignore) git.emplace(root);
        if (const auto refused = watches.open()) {
            fall_back(*refused);
        } else {
            readable.assign(watches.descriptor());
        }
    }
    ~state() { stop(); }

    void stop() {
        stopped = true;
        if (readable.is_open()) readable.release();  // the descriptor is not its own
        watches.close();
    }

    bool ignored(const std::string& path, bool directory) {
        const auto covers = [&](const glob& pattern) { return pattern.covers(path); };
        if (std::any_of(unwanted.begin(), unwanted.end(), covers)) return true;
        if (!git) return false;
        return path == ".git" || path.starts_with(".git/") || git->ignores(path, directory);
    }
    bool relevant(const std::string& path) {
        const auto covers = [&](const glob& pattern) { return pattern.covers(path); };
        return std::any_of(wanted.begin(), wanted.end(), covers) && !ignored(path, false);
    }
    bool may_hold(const std::string& dir) {
        const auto may = [&](const glob& pattern) { return pattern.may_cover_below(dir); };
        return std::any_of(wanted.begin(), wanted.end(), may) && (dir.empty() || !ignored(dir, true));
    }

    // No watch, no word from the kernel: then the files themselves are looked at, again and again.
    void fall_back(const folder_watches::refusal& why) {
        if (std::exchange(polling, true)) return;
        log(level::warning, "unit",
            "not all folders can be watched; the files are looked at every two seconds instead",
            {field("unit", unit), field("reason", why.reason), field("hint", why.hint)});
    }

    // Watches `dir` and all folders below it; `report`: what is found there is new.
    asio::awaitable<void> scan(std::string dir, bool report) {
        std::vector<std::string> open{std::move(dir)};
        for (std::size_t count = 1; !open.empty() && !stopped; ++count) {
            const std::string at = std::move(open.back());
            open.pop_back();
            if (!may_hold(at)) continue;
            if (const auto refused = watches.is_open() ? watches.add(at) : std::nullopt) fall_back(*refused);
            for (const auto& [name, directory, regular] : folder_entries(watches.full(at))) {
                std::string path = at.empty() ? name : at + "/" + name;
                if (directory) {
                    open.push_back(std::move(path));
                } else if (report && relevant(path)) {
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
        stir();
    }

    // Something changed just now: told when nothing has for `debounce`.
    void stir() {
        last_change = clock::now();
        if (!std::exchange(settling, true)) util::spawn(executor, settle(), "watch " + unit);
    }

    asio::awaitable<void> settle() {
        const auto self = shared_from_this();
        while (!stopped && clock::now() < last_change + debounce) {
            quiet.expires_at(last_change + debounce);
            boost::system::error_code error;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            co_await quiet.async_wait(token);
        }
        settling = false;
        if (stopped) co_return;
        std::vector<std::string> paths(pending.begin(), pending.end());
        pending.clear();
        const sink now = tell;  // it may stop us
        now(std::move(paths), std::exchange(note, {}));
    }

    asio::awaitable<void> run() {
        const auto self = shared_from_this();
        const auto began = clock::now();
        co_await scan({}, false);
        if (polling) util::spawn(executor, poll(look()), "watch " + unit);
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
        log(level::info, "unit", "watching",
            {field("unit", unit), field("folders", watches.size()), field("after_ms", took.count())});
        while (readable.is_open() && !stopped) {
            boost::system::error_code error;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            co_await readable.async_wait(asio::posix::stream_descriptor::wait_read, token);
            if (error || stopped) co_return;
            const bool polled = polling;
            watches.fill();
            while (auto event = stopped ? std::nullopt : watches.next()) {
                co_await handle(std::move(*event));
            }
            if (polling && !polled) util::spawn(executor, poll(look()), "watch " + unit);
        }
    }

    asio::awaitable<void> handle(folder_watches::event event) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            log(level::warning, "unit",
                "changes came faster than they could be read; the tree is looked at anew",
                {field("unit", unit), field("hint", "raise fs.inotify.max_queued_events")});
            note = "the kernel lost count of the changes";
            stir();
            if (git) git->forget();
            co_await scan({}, false);
            co_return;
        }
        if ((event.mask & IN_ISDIR) != 0) {
            co_await folder_changed(event.mask, event.path);
            co_return;
        }
        if (relevant(event.path)) changed(event.path);
        const bool of_git = event.path == ".gitignore" || event.path.ends_with("/.gitignore");
        if (!of_git || !git) co_return;
        // What was ignored may be watched from now on, and the other way round.
        git->forget();
        watches.drop_unless([this](const std::string& dir) { return may_hold(dir); });
        co_await scan({}, false);
    }

    asio::awaitable<void> folder_changed(std::uint32_t mask, std::string path) {
        if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
            const bool stopped_by_user = may_hold(path);
            if ((mask & IN_MOVED_FROM) != 0 && stopped_by_user) changed(path);
            watches.drop_below(path);
        }
        if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
            auto found = scan(path, true);
            co_await std::move(found);
        }
    }

    snapshot look() {
        snapshot seen;
        std::vector<std::string> open{{}};
        while (!open.empty()) {
            const std::string at = std::move(open.back());
            open.pop_back();
            if (!may_hold(at)) continue;
            for (const auto& [name, directory, regular] : folder_entries(watches.full(at))) {
                std::string path = at.empty() ? name : at + "/" + name;
                if (directory) {
                    open.push_back(std::move(path));
                    continue;
                }
                struct stat found {};
                if (!relevant(path) || ::lstat(watches.full(path).c_str(), &found) != 0) continue;
                const std::int64_t time = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
                seen.emplace(std::move(path), signature(found.st_ino, found.st_size, time));
            }
        }
        return seen;
    }

    asio::awaitable<void> poll(snapshot before) {
        const auto self = shared_from_this();
        while (!stopped) {
            co_await util::pause(limits::watch_look_again);
            if (stopped) co_return;
            if (git) git->forget();
            snapshot now = look();
            for (const auto& [path, sign] : now) {
                const auto old = before.find(path);
                if (old == before.end() || old->second != sign) changed(path);
            }
            for (const auto& [path, sign] : before) {
                if (!now.contains(path)) changed(path);
            }
            before = std::move(now);
        }
    }

    asio::any_io_executor executor;
    std::string root;
    std::string unit;
    std::vector<glob> wanted, unwanted;
    std::optional<gitignore> git;
    std::chrono::milliseconds debounce;
    sink tell;
    folder_watches watches;
    asio::posix::stream_descriptor readable;  // of `watches`, which owns the descriptor
    util::timer quiet;
    std::set<std::string> pending;
    std::string note;
    std::set<std::string> kept;  // changed during a run
    std::string kept_note;
    bool keeps = false;
    clock::time_point last_change{};
    bool settling = false;
    bool polling = false;
    bool stopped = false;
};

std::shared_ptr<task_watch> task_watch::make(const asio::any_io_executor& executor, std::string root,
                                             const unit_spec& spec, sink changed) {
    const auto made = std::make_shared<state>(executor, std::move(root), spec, std::move(changed));
    util::spawn(executor, made->run(), "watch " + spec.name);
    return std::shared_ptr<task_watch>(new task_watch(made));
}

task_watch::~task_watch() { stop(); }

void task_watch::stop() {
    state_->tell = [](const std::vector<std::string>&, const std::string&) {};
    state_->stop();
    state_->quiet.cancel();
}

void task_watch::keep(std::vector<std::string> paths, const std::string& note) {
    state_->keeps = true;
    state_->kept.insert(paths.begin(), paths.end());
    if (!note.empty()) state_->kept_note = note;
}

void task_watch::run_ended() {
    auto& my = *state_;
    if (!std::exchange(my.keeps, false)) return;
    my.pending.merge(my.kept);
    my.kept.clear();
    if (!my.kept_note.empty()) my.note = std::exchange(my.kept_note, {});
    my.stir();
}

}  // namespace hob::unit
