#include "unit/process/orphan_cleanup.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "unit/process/cgroup.hpp"
#include "unit/process/environment.hpp"
#include "unit/process/scope.hpp"
#include "unit/spec/run_record.hpp"
#include "util/deadline.hpp"
#include "util/log/log.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;
using util::field;
using util::level;
using util::log;

// The scopes to search for leftovers: one for each process record, one without a leader for each unit whose
// mark some process has (with or without a record), and one for each cgroup.
std::vector<scope> scopes_of(const std::vector<process_record>& records, const std::string& instance_key,
                             const config* running, const std::vector<std::string>& homes) {
    const std::string boot = util::boot_id();
    std::vector<scope> scopes;
    std::map<std::string, kill_scope> kills;
    for (const auto& record : records) {
        kills[record.unit] = record.kill;
        if (record.boot_id != boot || boot.empty()) continue;  // its pid names another process by now
        scopes.push_back({instance_key, record.unit, record.kill, record.pid, record.start_time, false});
    }
    for (const auto& process : util::all_processes()) {
        if (util::proc_environment_value(process.pid, std::string(mark_instance)) != instance_key) continue;
        const auto unit = util::proc_environment_value(process.pid, std::string(mark_unit));
        if (!unit || kills.contains(*unit)) continue;  // find_members() decides whether this daemon marked it
        const unit_spec* spec = running ? running->find(*unit) : nullptr;
        const bool is_command = *unit == command_name;
        kills[*unit] = is_command ? kill_scope::group : spec ? spec->kill : kill_scope::all;
    }
    for (const auto& [unit, kill] : kills) {
        if (ends_all(kill)) scopes.push_back({instance_key, unit, kill, 0, 0, false});
    }
    for (const auto& home : homes) {
        for (auto& cgroup : unit_cgroups(home)) {
            std::string unit = unit_of_cgroup(cgroup);
            const unit_spec* spec = running ? running->find(unit) : nullptr;
            const auto known = kills.find(unit);
            const kill_scope kill = known != kills.end() ? known->second
                                    : spec               ? spec->kill
                                                         : kill_scope::all;
            if (ends_all(kill))
                scopes.push_back({instance_key, std::move(unit), kill, 0, 0, false, std::move(cgroup)});
        }
    }
    return scopes;
}

std::vector<orphan> orphans_of(const std::vector<scope>& scopes) {
    std::vector<orphan> orphans;
    for (const auto& searched : scopes) {
        for (const auto& process : find_members(searched)) {
            const bool known = std::any_of(orphans.begin(), orphans.end(), [&](const orphan& other) {
                return other.process.pid == process.pid;
            });
            if (!known) orphans.push_back({searched.unit, process});
        }
    }
    return orphans;
}

std::vector<member> members_of(const std::vector<scope>& scopes) {
    std::vector<member> members;
    for (const auto& found : orphans_of(scopes))
        members.push_back(found.process);
    return members;
}

// Returns when all have ended or the limit is reached.
void wait_for(const std::vector<member>& members, util::deadline limit) {
    for (const auto& process : members) {
        const util::process_handle held(process.pid, process.start_time);
        if (held && !held.wait(limit)) return;
    }
}

void signal_all(const std::vector<member>& members, int number) {
    for (const auto& process : members) {
        if (!signal_member(process, number) && errno != ESRCH) {
            log(level::warning, "unit", "a leftover process cannot be signalled",
                {field("pid", process.pid), field("errno", errno)});
        }
    }
}

// SIGKILL, repeated for processes forked meanwhile. Returns those that could not be ended in time.
std::vector<member> kill_all(const std::vector<scope>& scopes, util::deadline end) {
    for (;;) {
        std::vector<const scope*> killed;
        for (const auto& target : scopes) {
            if (kill_scope_cgroup(target)) killed.push_back(&target);
        }
        auto left = members_of(scopes);
        if ((left.empty() && killed.empty()) || end.expired()) return left;
        signal_all(left, SIGKILL);
        wait_for(left, end);
        for (const auto* target : killed)
            wait_unpopulated(target->cgroup, end);
    }
}

}  // namespace

std::vector<orphan> find_orphans(const std::vector<process_record>& records, const std::string& instance_key,
                                 const config* running, const std::string& state_dir) {
    return orphans_of(scopes_of(records, instance_key, running, instance_cgroups(instance_key, state_dir)));
}

void clean_up_orphans(store& db, const std::string& instance_key, milliseconds limit,
                      const cleanup_options& options) {
    const auto end = util::deadline::in(limit);
    const std::string& state_dir = options.state_dir;
    auto records = db.processes();
    std::erase_if(records, [&](const process_record& record) { return options.going_on.contains(record.unit); });
    leave_unit_cgroup(instance_key);
    const auto homes = instance_cgroups(instance_key, state_dir);
    // Nothing was running: do not read all of /proc.
    if (records.empty() && !db.history_lost() && homes.empty()) return;
    auto scopes = scopes_of(records, instance_key, options.running, homes);
    std::erase_if(scopes, [&](const scope& searched) { return options.going_on.contains(searched.unit); });
    auto left = members_of(scopes);
    if (!left.empty()) {
        log(level::info, "unit", "ending what a predecessor left running", {field("count", left.size())});
        signal_all(left, SIGTERM);
        signal_all(left, SIGCONT);
        wait_for(left, util::deadline::in(limit / 3));
    }
    left = kill_all(scopes, end);
    for (const auto& process : left) {
        log(level::warning, "unit", "a leftover process could not be ended in time",
            {field("pid", process.pid)});
    }
    if (!homes.empty()) remove_empty_cgroups(instance_key, state_dir);
    const std::string boot = util::boot_id();
    for (const auto& record : records) {
        if (left.empty() || record.boot_id != boot) db.forget_process(record.unit, record.pid);
    }
}

}  // namespace hob::unit
