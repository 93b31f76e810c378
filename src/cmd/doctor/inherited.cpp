#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/core/status_view.hpp"
#include "cmd/doctor/checks.hpp"
#include "lifecycle/inherited.hpp"

namespace hob::cmd {
namespace {

constexpr const char* check = "inherited";

finding of_daemon(status_view status, pid_t daemon) {
    add_namespaces_apart(status, daemon);
    if (status.kept.empty()) return {check, health::ok, "the daemon keeps nothing of what started it", ""};
    return {check, health::warn,
            fmt::format("the daemon and every unit keep what it was started under: {}",
                        fmt::join(status.kept, ", ")),
            "from a shell without that: hob restart --daemon"};
}

}  // namespace

finding check_inherited(const daemon_glance& seen) {
    if (seen.status) return of_daemon(*seen.status, seen.found.connection->peer_pid());
    const auto kept = lifecycle::inherited_for_good();
    if (kept.empty()) return {check, health::ok, "nothing here that a daemon would keep", ""};
    return {check, health::warn,
            fmt::format("a daemon started from here, and every unit, keeps {}", fmt::join(kept, ", ")),
            "start it from elsewhere"};
}

}  // namespace hob::cmd
