#include <fmt/format.h>

#include "cmd/doctor/checks.hpp"
#include "util/proc.hpp"
#include "util/system_calls.hpp"

namespace hob::cmd {

finding check_system_calls() {
    const std::string check = "system-calls";
    std::string refused;
    for (const auto& call : util::replaced_calls()) {
        if (!call.is_refused()) continue;
        if (!refused.empty()) refused += "; ";
        refused += fmt::format("{} ({})", call.name, call.cost);
    }
    if (refused.empty()) return {check, health::ok, "all that are used are available", ""};
    return {check, health::warn, "refused, and replaced: " + refused,
            "Linux 5.11 or newer has them; a seccomp filter, as of a container, may refuse them"};
}

finding check_proc() {
    const std::string check = "proc";
    if (util::proc_is_of_another_namespace()) {
        return {check, health::fail,
                "/proc is that of another PID namespace: a daemon takes its processes for others",
                "mount -t proc proc /proc, as unshare --mount-proc does"};
    }
    if (util::own_start_time() != 0) return {check, health::ok, "/proc is mounted", ""};
    return {check, health::fail, "/proc is not mounted, and no daemon starts without it",
            "mount -t proc proc /proc"};
}

}  // namespace hob::cmd
