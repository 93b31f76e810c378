#include "cmd/core/status_report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cmd/core/status_json.hpp"
#include "lifecycle/inherited.hpp"
#include "util/clock.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

std::optional<long> resident_kib() {
    const auto statm = util::read_file("/proc/self/statm", 256);
    const auto space = statm ? statm->find(' ') : std::string::npos;
    if (space == std::string::npos) return std::nullopt;
    const long pages = std::strtol(statm->c_str() + space, nullptr, 10);
    return pages * (::sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

std::string status_report(lifecycle::daemon& daemon, const std::vector<std::string>& names, pid_t asked_by) {
    const lifecycle::application& application = daemon.application();
    const std::string units = application.status_json(names);
    daemon_status about;
    about.state = daemon.draining() ? lifecycle::daemon_state::draining : lifecycle::daemon_state::alive;
    about.pid = daemon.pid();
    about.version = version_text;
    about.protocol = protocol_version;
    about.started_at = util::rfc3339(daemon.started_at());
    about.uptime_ms = daemon.uptime().count();
    about.config = application.config_path();
    about.config_state = name_of(application.config_state());
    about.degraded = application.degraded();
    about.keeper_pid = daemon.keeper_pid();
    about.kept = daemon.kept_settings();
    for (auto& apart : lifecycle::namespaces_apart(asked_by)) {
        if (std::find(about.kept.begin(), about.kept.end(), apart) == about.kept.end())
            about.kept.push_back(std::move(apart));
    }
    about.clients = daemon.server().clients();
    about.rss_kib = resident_kib();
    about.further = application.status_members();
    return status_json(daemon.where(), about, units);
}

}  // namespace hob::cmd
