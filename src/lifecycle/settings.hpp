#pragma once
// What the configuration file may say about the daemon itself: its tables [daemon] and [log].

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "limits.hpp"

namespace hob::lifecycle {

struct daemon_settings {
    std::optional<std::chrono::milliseconds> idle_timeout;  // nullopt: an idle daemon stays
    std::chrono::milliseconds shutdown_timeout = limits::shutdown_timeout;
    bool operator==(const daemon_settings&) const = default;
};

struct log_settings {
    std::string level = "info";  // as in the environment: "info,ipc=debug"
    bool json = true;
    std::uint64_t max_size = 10u << 20;
    int max_files = 5;
    bool syslog = false;
    bool operator==(const log_settings&) const = default;
};

}  // namespace hob::lifecycle
