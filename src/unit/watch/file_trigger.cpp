#include "unit/watch/file_trigger.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/watch/folder_watches.hpp"
#include "unit/watch/watched_files.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"
#include "util/timer.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

namespace {

constexpr std::size_t paths_max = 10000;  // reported one by one

}  // namespace

struct file_trigger::state : std::enable_shared_from_this<file_trigger::state> {
    using clock = std::chrono::steady_clock;

    state(const asio::any_io_executor& on, const std::string& root, const std::string& name,
          const watch_spec& spec, callback report, kept_watch how_kept)
        : executor(on),
          unit(name),
          debounce(spec.debounce),
          on_change(std::move(report)),
          files(root, spec.patterns, spec.ignore, spec.gitignore),
          watches(root),
          readable(on),
          debounce_timer(on),
          kept(std::move(how_kept)),
          changes(kept.take_changes()) {
        if (const auto refused = watches.open(kept.take_inotify())) {
            fall_back_to_polling(*refused);
        } else {
            readable.assign(watches.descriptor());
            kept.hold(watches.descriptor());
        }
    }
    ~state() { stop(); }

    void stop() {
        if (!std::exchange(stopped, true)) kept.drop();
        if (readable.is_open()) readable.release();  // `watches` owns the descriptor
        watches.close();
    }

    // Without inotify events the files are compared at intervals.
    void fall_back_to_polling(const folder_watches::refusal& why) {
        if (std::exchange(polling, true)) return;
        log(level::warning, "unit",
            "not all folders can be watched; the files are looked at every two seconds instead",
            {field("unit", unit), field("reason", why.reason), field("hint", why.hint)});
    }

    // Watches `dir` and all folders below it, and records the files there. `report`: those files are new.
    asio::awaitable<void> scan(std::string dir, bool report, bool is_symlink = false) {
        struct folder {
            std::string path;
            bool is_symlink;
        };
        std::vector<folder> folders;
        folders.push_back({std::move(dir), is_symlink});
        for (std::size_t count = 1; !folders.empty() && !stopped; ++count) {
            const folder at = std::move(folders.back());
            folders.pop_back();
            if (!files.may_cover_below(at.path)) continue;
            if (const auto refused = watches.is_open() ? watches.add(at.path, at.is_symlink) : std::nullopt)
                fall_back_to_polling(*refused);
            for (const auto& [name, directory, regular] : folder_entries(watches.full(at.path))) {
                std::string path = at.path.empty() ? name : at.path + "/" + name;
                if (directory || (!regular && files.follows(path))) {
                    folders.push_back({std::move(path), !directory});
                } else if (files.covers(path)) {
                    files.update(path);
                    if (report) changed(std::move(path));
                }
            }
            if (count % limits::folders_in_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
        }
    }

    void changed(std::string path) {
        if (changes.pending.size() < paths_max) {
            changes.pending.insert(std::move(path));
        } else {
            changes.note = fmt::format("more than {} files", paths_max);
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
        std::vector<std::string> paths(changes.pending.begin(), changes.pending.end());
        changes.pending.clear();
        const callback report = on_change;  // the callback may stop this trigger
        report(std::move(paths), std::exchange(changes.note, {}));
        if (!stopped) kept.remember(changes);
    }

    asio::awaitable<void> run() {
        const auto self = shared_from_this();
        const auto began = clock::now();
        co_await scan({}, false);
        if (polling) util::spawn(executor, poll(), "watch " + unit);
        if (!changes.pending.empty() || !changes.note.empty()) schedule_report();
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
            if (report_scheduled && !stopped) kept.remember(changes);
            if (polling && !was_polling) util::spawn(executor, poll(), "watch " + unit);
        }
    }

    asio::awaitable<void> handle(folder_watches::event event) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            log(level::warning, "unit",
                "changes came faster than they could be read; the tree is looked at anew",
                {field("unit", unit), field("hint", "raise fs.inotify.max_queued_events")});
            changes.note = "the kernel lost count of the changes";
            schedule_report();
            files.forget_rules();
            co_await scan({}, false);
            co_return;
        }
        if ((event.mask & IN_ISDIR) != 0) {
            co_await folder_changed(event.mask, event.path);
            co_return;
        }
        if ((event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
            link_gone(event.path);
        } else if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 && files.follows(event.path)) {
            co_await scan(event.path, true, true);
        }
        if (files.covers(event.path)) file_changed(event.mask, event.path);
        if (!files.is_rule_file(event.path)) co_return;
        // Ignored folders may have to be watched now, and watched ones may be ignored.
        files.forget_rules();
        watches.drop_unless([this](const std::string& dir) { return files.may_cover_below(dir); });
        co_await scan({}, false);
    }

    // Opening for writing, a new access time or a chmod are events, too: for these the file is compared.
    void file_changed(std::uint32_t mask, const std::string& path) {
        const bool differs = files.update(path);
        if (differs || (mask & ~(IN_CLOSE_WRITE | IN_ATTRIB)) != 0) changed(path);
    }

    void link_gone(const std::string& path) {
        files.forget_link(path);
        files.remove(path);
        watches.drop_below(path);
    }

    asio::awaitable<void> folder_changed(std::uint32_t mask, std::string path) {
        if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
            if ((mask & IN_MOVED_FROM) != 0 && files.may_cover_below(path)) changed(path);
            files.remove(path);
            watches.drop_below(path);
        }
        if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) co_await scan(path, true);
    }

    asio::awaitable<void> poll() {
        const auto self = shared_from_this();
        while (!stopped) {
            co_await util::pause(limits::watch_look_again);
            if (stopped) co_return;
            files.forget_rules();
            for (auto& path : files.compare_all())
                changed(std::move(path));
        }
    }

    asio::any_io_executor executor;
    std::string unit;
    std::chrono::milliseconds debounce;
    callback on_change;
    watched_files files;
    folder_watches watches;
    asio::posix::stream_descriptor readable;  // of `watches`, which owns the descriptor
    util::timer debounce_timer;
    kept_watch kept;
    pending_changes changes;
    clock::time_point last_change{};
    bool report_scheduled = false;
    bool polling = false;
    bool stopped = false;
};

std::shared_ptr<file_trigger> file_trigger::make(const asio::any_io_executor& executor,
                                                 const std::string& root, const unit_spec& spec,
                                                 callback on_change, kept_watch kept) {
    const auto made = std::make_shared<state>(executor, root, spec.name, spec.watch, std::move(on_change),
                                              std::move(kept));
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
    pending_changes& changes = state_->changes;
    changes.has_deferred = true;
    changes.deferred.insert(paths.begin(), paths.end());
    if (!note.empty()) changes.deferred_note = note;
}

void file_trigger::report_deferred() {
    pending_changes& changes = state_->changes;
    if (!std::exchange(changes.has_deferred, false)) return;
    changes.pending.merge(changes.deferred);
    changes.deferred.clear();
    if (!changes.deferred_note.empty()) changes.note = std::exchange(changes.deferred_note, {});
    state_->kept.remember(changes);
    state_->schedule_report();
}

}  // namespace hob::unit
