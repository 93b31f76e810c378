#include "unit/service/service_note.hpp"

#include "util/json/json_fields.hpp"

namespace hob::unit {

template <util::json_fields::is<service_note> Note, typename Field>
void each_field(Note& note, const Field& field) {
    field("state", note.state);
    field("since", note.since);
    field("supervision", note.supervision);
    field("detail", note.detail);
    field("stop_reason", note.stop_reason);
    field("watch_held", note.watch_held);
    field("culprit", note.culprit);
    field("restart_requested", note.restart_requested);
    field("start_requested", note.start_requested);
    field("dependencies_met", note.dependencies_met);
    field("tasks_due", note.tasks_due);
    field("asked_to_stop", note.asked_to_stop);
    field("restarts", note.restarts);
    field("restarts_in_a_row", note.restarts_in_a_row);
    field("backoff", note.backoff);
    field("backoff_ends", note.backoff_ends);
    field("ends", note.ends);
    field("exit", note.exit);
    field("exit_by_signal", note.exit_by_signal);
    field("pid", note.pid);
    field("start_time", note.start_time);
    field("main_pid", note.main_pid);
    field("life", note.life);
    field("definition", note.definition);
    field("cgroup", note.cgroup);
    field("notify_address", note.notify_address);
    field("status_text", note.status_text);
    field("failure_reason", note.failure_reason);
    field("watchdog", note.watchdog);
    field("start_ends", note.start_ends);
    field("signalled", note.signalled);
    field("was_ready", note.was_ready);
    field("stop_requested", note.stop_requested);
}

std::string to_json(const service_note& note) { return util::json_fields::to_json(note); }

std::optional<service_note> parse_service_note(const std::string& text) {
    return util::json_fields::parse<service_note>(text);
}

}  // namespace hob::unit
