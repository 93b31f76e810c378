#pragma once
// The status object (man page hob-status(1), OUTPUT): the one place that writes it.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/status_page.hpp"
#include "lifecycle/daemon_state.hpp"
#include "lifecycle/instance.hpp"

namespace hob::cmd {

// What the status object says of the daemon. A text that is empty, and a number that is absent, is null.
struct daemon_status {
    lifecycle::daemon_state state = lifecycle::daemon_state::dead;
    pid_t pid = 0;  // 0: null
    std::string version;
    std::optional<int> protocol;
    std::string started_at;  // RFC 3339
    std::optional<std::int64_t> uptime_ms;
    std::string config;  // path of the configuration file
    std::string config_state;
    std::string degraded;
    pid_t keeper_pid = 0;  // 0: there is none
    std::vector<std::string> kept;  // settings of its starter that it could not undo
    std::optional<std::size_t> clients;
    std::optional<long> rss_kib;
    std::string further;  // members of the status object, as a raw JSON object; empty: none
};

// `units_raw`: an array as JSON.
std::string status_json(const lifecycle::instance& where, const daemon_status& daemon,
                        std::string_view units_raw);

// The status object where no daemon answers: from what its files say. `pid`: 0 is none; `page`: what that
// daemon last published.
std::string silent_status_json(const lifecycle::instance& where, lifecycle::daemon_state state, pid_t pid,
                               const std::optional<ipc::page_content>& page);

// The same without any daemon. `units_raw`: an array as JSON.
std::string stopped_status_json(const lifecycle::instance& where, std::string_view config_state,
                                std::string_view units_raw);

}  // namespace hob::cmd
