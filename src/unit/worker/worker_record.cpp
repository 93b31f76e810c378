#include "unit/worker/worker_record.hpp"

#include <unistd.h>

#include "unit/protocol/carried.hpp"
#include "util/proc.hpp"

namespace hob::unit {

template <util::json_fields::is<worker_note> Note, typename Field>
void each_field(Note& note, const Field& field) {
    field("version", note.version);
    field("pid", note.pid);
    field("start_time", note.start_time);
}

template <util::json_fields::is<worker_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("state", record.state);
    field("since", record.since);
    field("restarts", record.restarts);
    field("exit", record.exit);
    field("exit_by_signal", record.exit_by_signal);
    field("exit_with_core", record.exit_with_core);
    field("killed_for", record.killed_for);
    field("died", record.died);
    field("failure_reported", record.failure_reported);
    field("has_environment", record.has_environment);
    field("environment", record.environment);
    field("last_id", record.last_id);
    field("events", record.events);
    field("activity", record.activity);
    field("definition", record.definition);
    field("started_with", record.started_with);
    field("cgroup", record.cgroup);
    field("protocol", record.protocol);
    field("address", record.address);
    field("framing", record.framing);
    field("unwritten", record.unwritten);
    field("last_words", record.last_words);
    field("unfinished_output", record.unfinished_output);
    field("unfinished_error", record.unfinished_error);
    field("capabilities", record.capabilities);
    field("session", record.session);
    field("ignored", record.ignored);
    field("last_used", record.last_used);
    field("noise_lines", record.noise_lines);
    field("unexpected_answers", record.unexpected_answers);
}

std::string to_json(const worker_note& note) { return util::json_fields::to_json(note); }

std::optional<std::string> to_json(const worker_record& record) { return exact_json(record); }

std::optional<worker_record> parse_worker_record(const std::string& text) {
    return util::json_fields::parse<worker_record>(text);
}

std::optional<worker_note> carried_worker(const lifecycle::held_entry& held) {
    auto note = util::json_fields::parse<worker_note>(held.note);
    if (!note || note->version != carried_version) return std::nullopt;
    if (note->pid <= 0) return note;
    const auto stat = util::read_proc_stat(static_cast<pid_t>(note->pid));
    const bool is_child = stat && stat->ppid == ::getpid() &&
                          static_cast<std::int64_t>(stat->start_time) == note->start_time;
    if (!is_child) note->pid = 0;
    return note;
}

}  // namespace hob::unit
