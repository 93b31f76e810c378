#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>

#include "cmd/core/status_view.hpp"
#include "cmd/doctor/checks.hpp"
#include "identity.hpp"
#include "lifecycle/inherited.hpp"
#include "lifecycle/probe.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

constexpr const char* check = "inherited";

finding of_daemon(ipc::client& daemon, util::deadline limit) {
    status_view status = read_status(daemon.call(this_program.methods.status, "{}", limit));
    add_namespaces_apart(status, daemon.peer_pid());
    if (status.kept.empty()) return {check, health::ok, "the daemon keeps nothing of what started it", ""};
    return {check, health::warn,
            fmt::format("the daemon and every unit keep what it was started under: {}",
                        fmt::join(status.kept, ", ")),
            "from a shell without that: hob restart --daemon"};
}

}  // namespace

finding check_inherited(const lifecycle::instance& where, util::deadline limit) {
    const auto soon = limit.earlier(util::deadline::in(limits::glance_timeout));
    try {
        auto found = lifecycle::probe(where, soon, limits::glance_timeout);
        if (found.connection) return of_daemon(*found.connection, soon);
    } catch (const std::exception&) {  // check_daemon reports a daemon that does not answer
    }
    const auto kept = lifecycle::inherited_for_good();
    if (kept.empty()) return {check, health::ok, "nothing here that a daemon would keep", ""};
    return {check, health::warn,
            fmt::format("a daemon started from here, and every unit, keeps {}", fmt::join(kept, ", ")),
            "start it from elsewhere"};
}

}  // namespace hob::cmd
