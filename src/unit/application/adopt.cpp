// A daemon that comes after one that died: what it takes over from the keeper.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "error.hpp"
#include "unit/application/application.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file_record.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/task/run_note.hpp"
#include "util/json/json_text.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

// What runs goes on as it was configured, whatever the files say by now.
bool application::resume_config() {
    const auto held = std::find_if(context_.held.begin(), context_.held.end(),
                                   [](const auto& each) { return each.key == held_config_key; });
    const auto text = held == context_.held.end() ? std::nullopt : held->text();
    const auto record = text ? file_record::parse(*text) : std::nullopt;
    if (!record) return false;
    try {
        const recorded_reading reading(nullptr, &*record);
        config_ = record->empty()
                      ? default_config()
                      : unit::load_config(context_.where.config_path, ::geteuid(), context_.where.root);
    } catch (const failure& why) {
        util::log(util::level::warning, "config", "cannot go on with the configuration of the last daemon",
                  {util::field("reason", why.what())});
        return false;
    }
    config_text_ = held->take(lifecycle::text_role);
    return true;
}

// A unit that is there no more cannot be gone on with: its process is ended.
void application::adopt_units() {
    for (auto& held : context_.held) {
        const std::string key = held.key;
        if (key.starts_with(held_watch_prefix))
            registry_->adopt_watch(key.substr(held_watch_prefix.size()), std::move(held));
    }
    std::vector<lifecycle::held_entry> runs;
    for (auto& held : context_.held) {
        if (held.key.starts_with(held_run_prefix) || held.key.starts_with(held_queued_prefix)) {
            runs.push_back(std::move(held));
            continue;
        }
        if (!held.key.starts_with(held_unit_prefix)) continue;
        const std::string key = held.key;
        const pid_t pid = held.pid;
        if (registry_->adopt(key.substr(held_unit_prefix.size()), std::move(held))) continue;
        if (pid > 0) ::kill(-pid, SIGKILL);
        context_.keeper->drop(key);
    }
    registry_->adopt_runs(std::move(runs));
    context_.held.clear();
}

// What is not swept and not lost.
application::survivors application::find_survivors() const {
    survivors found;
    for (const auto& held : context_.held) {
        const std::string_view key = held.key;
        if (held.pid > 0 && held.exit.code != 0) context_.keeper->add_end(held.pid, held.exit);
        if (held.pid > 0 && key.starts_with(held_unit_prefix))
            found.units.emplace(key.substr(held_unit_prefix.size()));
        if (!key.starts_with(held_run_prefix)) continue;
        const auto order = parse_run_order(held.text().value_or(""));
        const auto id = util::json_integer(key.substr(held_run_prefix.size()));
        if (!order || !id) continue;
        if (held.pid > 0) found.units.insert(order->unit);
        if (held.pid > 0 || !is_lost_without_process(*order)) found.runs.insert(*id);
    }
    return found;
}

}  // namespace hob::unit
