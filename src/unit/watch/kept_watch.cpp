#include "unit/watch/kept_watch.hpp"

#include <utility>
#include <vector>

#include "util/json/json_fields.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t note_max = 48 << 10;  // bytes of paths; longer names are not told one by one

}  // namespace

struct watch_note {
    std::vector<std::string> pending;
    std::vector<std::string> deferred;
    std::string note;
    std::string deferred_note;
    bool has_deferred = false;
};

template <util::json_fields::is<watch_note> Note, typename Field>
void each_field(Note& note, const Field& field) {
    field("pending", note.pending);
    field("deferred", note.deferred);
    field("note", note.note);
    field("deferred_note", note.deferred_note);
    field("has_deferred", note.has_deferred);
}

kept_watch::kept_watch(lifecycle::keeper_link* keeper, const std::string& unit, lifecycle::held_entry earlier)
    : keeper_(keeper), key_(std::string(held_watch_prefix) + unit), earlier_(std::move(earlier)) {}

pending_changes kept_watch::take_changes() {
    pending_changes changes;
    const auto note = util::json_fields::parse<watch_note>(std::exchange(earlier_.note, {}));
    if (!note) return changes;
    changes.pending.insert(note->pending.begin(), note->pending.end());
    changes.deferred.insert(note->deferred.begin(), note->deferred.end());
    changes.note = note->note;
    changes.deferred_note = note->deferred_note;
    changes.has_deferred = note->has_deferred;
    return changes;
}

void kept_watch::hold(int inotify) const {
    if (lifecycle::keeper_link* const link = keeper()) link->hold(key_, {{"inotify", inotify}});
}

void kept_watch::remember(const pending_changes& changes) const {
    lifecycle::keeper_link* const link = keeper();
    if (!link) return;
    watch_note note;
    std::size_t size = 0;
    const auto copy = [&size](const std::set<std::string>& paths, std::vector<std::string>& into,
                              std::string& instead) {
        for (const auto& path : paths) {
            size += path.size();
            if (size <= note_max) into.push_back(path);
        }
        if (size > note_max) instead = "more files than a daemon could tell the next one";
    };
    note.note = changes.note;
    note.deferred_note = changes.deferred_note;
    note.has_deferred = changes.has_deferred;
    copy(changes.pending, note.pending, note.note);
    copy(changes.deferred, note.deferred, note.deferred_note);
    link->note(key_, util::json_fields::to_json(note));
}

void kept_watch::drop() const {
    if (lifecycle::keeper_link* const link = keeper()) link->drop(key_);
}

}  // namespace hob::unit
