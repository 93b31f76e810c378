// Processes of units that should have ended: those that a daemon could not end, and those of a dead daemon.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "cmd/core/status_view.hpp"
#include "cmd/doctor/checks.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "unit/config/config.hpp"
#include "unit/process/orphan_cleanup.hpp"
#include "unit/store/reader.hpp"
#include "util/proc.hpp"

namespace hob::cmd {
namespace {

constexpr const char* check = "processes";

finding of_daemon(const status_view& status) {
    std::vector<std::string> left;
    for (const auto& unit : status.units) {
        if (unit.leaves_processes) left.push_back(fmt::format("'{}': {}", unit.name, unit.detail));
    }
    if (left.empty()) return {check, health::ok, "none is left of what was stopped", ""};
    return {check, health::warn, fmt::format("{}", fmt::join(left, "; ")),
            "end them as the user that they run as, or as root"};
}

finding of_dead_daemon(const lifecycle::instance& where) {
    std::vector<std::string> left;
    std::optional<unit::config> config;
    try {
        config = unit::load_config(where.config_path, ::geteuid(), where.root);
    } catch (const failure&) {  // check_config reports it
    }
    const auto orphans = unit::find_orphans(unit::read_processes(where.database_path()), where.key,
                                            config ? &*config : nullptr, where.state_dir());
    for (const auto& [unit, orphan] : orphans) {
        const auto process = util::read_proc_stat(orphan.pid);
        if (process) left.push_back(fmt::format("'{}': pid {} ({})", unit, orphan.pid, process->comm));
    }
    if (left.empty()) return {check, health::ok, "none is left of a daemon that is gone", ""};
    return {check, health::warn, fmt::format("left of a daemon that is gone: {}", fmt::join(left, "; ")),
            "the next start ends them: " + command_text("daemon")};
}

}  // namespace

finding check_processes(const lifecycle::instance& where, const daemon_glance& seen) {
    if (seen.status) return of_daemon(*seen.status);
    if (seen.found.state != lifecycle::daemon_state::dead)
        return {check, health::ok, "unknown: the daemon does not answer", ""};
    try {
        return of_dead_daemon(where);
    } catch (const failure&) {  // check_database reports it
        return {check, health::ok, "unknown until the database can be read", ""};
    }
}

}  // namespace hob::cmd
