// Whether the kernel enforces the limits of units.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cmd/doctor/checks.hpp"

namespace hob::cmd {

finding check_limits(const daemon_glance& seen) {
    const std::string check = "limits";
    if (!seen.status) return {check, health::ok, "no daemon runs a unit", ""};
    std::vector<std::string> unheeded, measured;
    for (const auto& unit : seen.status->units) {
        if (!unit.without_effect.empty())
            unheeded.push_back(fmt::format("{} of '{}'", fmt::join(unit.without_effect, ", "), unit.name));
        if (unit.memory_measured) measured.push_back(fmt::format("'{}'", unit.name));
    }
    std::string message;
    if (!unheeded.empty()) message = fmt::format("without effect: {}", fmt::join(unheeded, ", "));
    if (!measured.empty()) {
        message += fmt::format("{}memory_max of {} is measured every 10s", message.empty() ? "" : "; ",
                               fmt::join(measured, ", "));
    }
    if (message.empty()) return {check, health::ok, "each limit of a unit that runs is in force", ""};
    if (unheeded.empty()) return {check, health::ok, message, ""};
    return {
        check, health::warn, message,
        "run the daemon alone in a cgroup v2 that it may write, such as a systemd service with Delegate=yes"};
}

}  // namespace hob::cmd
