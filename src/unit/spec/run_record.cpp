#include "unit/spec/run_record.hpp"

#include <array>

#include "util/clock.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 7> trigger_names{"manual", "timer", "cron", "watch",
                                                        "start",  "retry", "after"};
static_assert(trigger_names.size() == static_cast<std::size_t>(run_trigger::after) + 1);

util::json_object run_object(const run_record& run, const std::string& log_dir) {
    std::optional<std::string> ended, log;
    if (run.ended_at) ended = util::rfc3339(*run.ended_at);
    if (!log_dir.empty()) log = log_dir + "/" + run.task + ".log";
    util::json_object object;
    object.add("id", run.id)
        .add("kind", name_of(run.kind))
        .add("task", run.task)
        .add("trigger", name_of(run.trigger))
        .add("cause", run.cause);
    object.add("started_at", util::rfc3339(run.started_at)).add("ended_at", ended);
    object.add("duration_ms", run.duration_ms()).add("state", name_of(run.state));
    object.add("exit", run.exit).add("signal", run.signal).add("cpu_ms", run.cpu_ms);
    object.add("max_rss_kib", run.max_rss_kib);
    if (run.kind == record_kind::life) {
        std::optional<std::string> ready;
        if (run.ready_at) ready = util::rfc3339(*run.ready_at);
        object.add("ready_at", ready).add("restarts", run.restarts);
    }
    object.add_if("log", log);
    return object;
}

}  // namespace

std::string_view name_of(run_trigger trigger) { return trigger_names[static_cast<std::size_t>(trigger)]; }

std::string_view name_of(record_kind kind) { return kind == record_kind::life ? "life" : "run"; }

std::optional<record_kind> record_kind_named(std::string_view name) {
    for (const auto kind : {record_kind::run, record_kind::life}) {
        if (name == name_of(kind)) return kind;
    }
    return std::nullopt;
}

std::optional<run_trigger> run_trigger_named(std::string_view name) {
    for (std::size_t at = 0; at < trigger_names.size(); ++at) {
        if (trigger_names[at] == name) return static_cast<run_trigger>(at);
    }
    return std::nullopt;
}

std::optional<std::int64_t> run_record::duration_ms() const {
    if (!ended_at) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(*ended_at - started_at).count();
}

void run_record::note_usage(const rusage& used) {
    const auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
    cpu_ms = ms(used.ru_utime) + ms(used.ru_stime);
    max_rss_kib = used.ru_maxrss;
}

std::string run_json(const run_record& run, const std::string& log_dir) {
    return run_object(run, log_dir).text();
}

std::string runs_json(const std::vector<run_record>& runs, const std::string& log_dir) {
    util::json_array list;
    for (const auto& run : runs)
        list.add(run_object(run, log_dir));
    return std::move(list).text();
}

}  // namespace hob::unit
