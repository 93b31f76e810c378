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
#include "unit/process/known_children.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/task/run_note.hpp"
#include "unit/worker/worker_record.hpp"
#include "util/json/json_text.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

bool is_worker(const config& configuration, const std::string& name) {
    const unit_spec* spec = configuration.find(name);
    return spec && spec->kind == unit_kind::worker;
}

}  // namespace

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

// The processes of workers are children of this one, and are not to be reaped like orphans.
void application::know_carried_workers() const {
    for (const auto& held : context_.held) {
        if (!held.key.starts_with(held_worker_prefix)) continue;
        const auto note = carried_worker(held);
        if (note && note->pid > 0) known_children().insert(static_cast<pid_t>(note->pid));
    }
}

// After the death of a daemon, what it had left of workers for a program that was to take over is of no use.
void application::adopt_workers() {
    for (auto& held : context_.held) {
        if (!held.key.starts_with(held_worker_prefix)) continue;
        const std::string key = held.key;
        const auto note = carried_worker(held);
        const std::string name = key.substr(held_worker_prefix.size());
        const bool is_there = is_worker(config_, name) && registry_->adopt(name, std::move(held));
        if (!is_there && note) known_children().erase(static_cast<pid_t>(note->pid));
        context_.keeper->drop(key);
    }
    subreaper::reap_orphans();
}

// A unit that is there no more cannot be gone on with: its process is ended.
void application::adopt_units() {
    adopt_workers();
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
        if (key.starts_with(held_unit_prefix))
            (held.pid > 0 ? found.units : found.unstarted).emplace(key.substr(held_unit_prefix.size()));
        if (key.starts_with(held_worker_prefix)) {
            const std::string name(key.substr(held_worker_prefix.size()));
            const auto note = carried_worker(held);
            if (note && note->pid > 0 && is_worker(config_, name)) found.units.insert(name);
        }
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
