#include "cmd/core/status_json.hpp"

#include <chrono>
#include <utility>

#include "util/clock.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

void add_text(util::json_object& object, std::string_view key, std::string_view text) {
    if (text.empty())
        object.add(key, nullptr);
    else
        object.add(key, text);
}

}  // namespace

std::string status_json(const lifecycle::instance& where, const daemon_status& daemon,
                        std::string_view units_raw) {
    util::json_object about;
    about.add("state", name_of(daemon.state));
    about.add("pid", daemon.pid > 0 ? std::optional(daemon.pid) : std::nullopt);
    add_text(about, "version", daemon.version);
    about.add("protocol", daemon.protocol);
    add_text(about, "started_at", daemon.started_at);
    about.add("uptime_ms", daemon.uptime_ms);
    about.add("socket", where.socket_path());
    about.add("log", where.daemon_log_path());
    add_text(about, "config", daemon.config);
    add_text(about, "config_state", daemon.config_state);
    add_text(about, "degraded", daemon.degraded);
    util::json_array kept;
    for (const auto& setting : daemon.kept)
        kept.add(setting);
    about.add("kept", kept);
    about.add("keeper_pid", daemon.keeper_pid > 0 ? std::optional(daemon.keeper_pid) : std::nullopt);
    about.add("clients", daemon.clients);
    about.add("rss_kib", daemon.rss_kib);

    util::json_object status;
    status.add("instance", where.key);
    add_text(status, "root", where.root);
    status.add("daemon", about);
    if (!daemon.further.empty()) status.add_members(util::raw_json{daemon.further});
    status.add("units", util::raw_json{units_raw});
    return std::move(status).text();
}

std::string silent_status_json(const lifecycle::instance& where, lifecycle::daemon_state state, pid_t pid,
                               const std::optional<ipc::page_content>& page) {
    daemon_status about;
    about.state = state;
    about.pid = pid;
    about.config = where.config_path;
    std::string units = "[]";
    if (page) {
        const system_clock::time_point started{milliseconds(page->started_at_ms)};
        about.version = page->version;
        about.started_at = util::rfc3339(started);
        about.uptime_ms = std::chrono::duration_cast<milliseconds>(system_clock::now() - started).count();
        if (util::json_array_elements(page->units_json)) units = page->units_json;
    }
    return status_json(where, about, units);
}

std::string stopped_status_json(const lifecycle::instance& where, std::string_view config_state,
                                std::string_view units_raw) {
    daemon_status about;
    about.state = lifecycle::daemon_state::dead;
    about.config = where.config_path;
    about.config_state = config_state;
    return status_json(where, about, units_raw);
}

}  // namespace hob::cmd
