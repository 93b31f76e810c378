#pragma once
// What the keeper has of a watch for the next daemon: the descriptor of inotify(7), in which changes go on to
// be queued, and as the note of its key the changes that were read and have not led to anything yet.

#include <set>
#include <string>
#include <string_view>

#include "lifecycle/keeper_link.hpp"
#include "util/fd.hpp"

namespace hob::unit {

inline constexpr std::string_view held_watch_prefix = "watch/";

struct pending_changes {
    std::set<std::string> pending;   // paths, relative to the root
    std::set<std::string> deferred;  // during a run
    std::string note;                // what happened, where the paths are not known
    std::string deferred_note;
    bool has_deferred = false;
};

class kept_watch {
public:
    kept_watch() = default;  // nothing outlives the daemon
    // `earlier`: what the daemon before this one has left; its key is empty if there was none.
    kept_watch(lifecycle::keeper_link* keeper, const std::string& unit, lifecycle::held_entry earlier);

    util::unique_fd take_inotify() { return earlier_.take("inotify"); }  // empty: there is none
    pending_changes take_changes();
    void hold(int inotify) const;
    void remember(const pending_changes& changes) const;
    void drop() const;

private:
    lifecycle::keeper_link* keeper() const { return keeper_ && keeper_->goes_on() ? keeper_ : nullptr; }

    lifecycle::keeper_link* keeper_ = nullptr;
    std::string key_;
    lifecycle::held_entry earlier_;
};

}  // namespace hob::unit
