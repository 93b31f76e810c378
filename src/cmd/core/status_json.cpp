#include "cmd/core/status_json.hpp"

#include <fmt/format.h>

#include <chrono>

#include "util/clock.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {

using std::chrono::milliseconds;
using std::chrono::system_clock;

std::string quoted_or_null(std::string_view text) { return text.empty() ? "null" : util::json_quote(text); }

std::string silent_status_json(const lifecycle::instance& where, std::string_view state, pid_t pid,
                               const std::optional<ipc::page_content>& page) {
    std::string version = "null";
    std::string started_at = "null";
    std::string uptime = "null";
    std::string units = "[]";
    if (page) {
        const system_clock::time_point started{milliseconds(page->started_at_ms)};
        version = quoted_or_null(page->version);
        started_at = util::json_quote(util::rfc3339(started));
        uptime =
            std::to_string(std::chrono::duration_cast<milliseconds>(system_clock::now() - started).count());
        if (util::json_array_elements(page->units_json)) units = page->units_json;
    }
    return fmt::format(
        R"({{"instance":{},"root":{},"daemon":{{"state":{},"pid":{},"version":{},"protocol":null,"started_at":{},)"
        R"("uptime_ms":{},"socket":{},"log":{},"config":{},"config_state":null,"degraded":null,"clients":null,)"
        R"("rss_kib":null}},)"
        R"("units":{}}})",
        util::json_quote(where.key), quoted_or_null(where.root), util::json_quote(state),
        pid > 0 ? std::to_string(pid) : "null", version, started_at, uptime,
        util::json_quote(where.socket_path()), util::json_quote(where.daemon_log_path()),
        quoted_or_null(where.config_path), units);
}

}  // namespace hob::cmd
