// The keys that only tasks have.
#include <fmt/format.h>

#include "unit/config/key_readers.hpp"
#include "util/duration.hpp"
#include "util/time_zone/time_zone.hpp"

namespace hob::unit {

void check_task(table_reader& table, const task_spec& spec) {
    const tree_value* every = table.value("every");
    const tree_value* cron = table.value("cron");
    if (every != nullptr && cron != nullptr) {
        const bool every_first = every->where < cron->where;
        table.reject(every_first ? "cron" : "every", (every_first ? cron : every)->where,
                     fmt::format("cannot stand beside '{}'", every_first ? "every" : "cron"),
                     "a task has one schedule; make a second task of it");
    }
    const tree_value* jitter = table.value("jitter");
    if (jitter != nullptr && spec.every && spec.jitter >= *spec.every) {
        table.reject("jitter", jitter->where,
                     fmt::format("must be shorter than 'every' ({})", util::format_duration(*spec.every)));
    }
    if (cron == nullptr) table.warn_without_effect("time_zone", "'cron'");
    if (every == nullptr && cron == nullptr) {
        table.warn_without_effect("jitter", "'every' or 'cron'");
        table.warn_without_effect("catch_up", "'every' or 'cron'");
    }
}

void read_cron(const key_context& at) {
    std::string text;
    if (!at.table.read(at.key, at.value, text)) return;
    cron_error error;
    auto& spec = object_of<task_spec>(at);
    spec.cron = parse_cron(text, error);
    if (!spec.cron)
        at.table.reject(at.key, at.value.where, fmt::format("('{}'): {}", text, error.reason), error.hint);
}

void read_time_zone(const key_context& at) {
    std::string name;
    if (!at.table.read(at.key, at.value, name)) return;
    util::time_zone_error error;
    auto& spec = object_of<task_spec>(at);
    spec.time_zone = util::find_time_zone(name, error);
    if (!spec.time_zone)
        at.table.reject(at.key, at.value.where, fmt::format("('{}') {}", name, error.reason), error.hint);
}

}  // namespace hob::unit
