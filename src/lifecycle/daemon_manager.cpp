// A daemon under a service manager: the socket that it was handed, and its watchdog.
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/handed_socket.hpp"
#include "util/log/log.hpp"

namespace hob::lifecycle {

bool daemon::bind_handed() {
    const std::string path = options_.where.socket_path();
    util::unique_fd handed = std::move(options_.handed);
    resources_->socket_is_handed = false;
    if (!handed) return false;
    if (!listen_anew(handed.get(), path)) {
        util::log(util::level::warning, "lifecycle",
                  "the socket of the service manager is not the one at its path: this daemon binds its own",
                  {util::field("path", path)});
        return false;
    }
    resources_->listening = std::move(handed);
    resources_->socket = identity_of(path);
    resources_->socket_is_handed = true;
    return true;
}

std::string daemon::manager_status() const { return "serving " + options_.where.root; }

void daemon::arm_watchdog() {
    const auto interval = options_.manager.watchdog();
    if (!interval) return;
    options_.manager.alive();
    resources_->watchdog_timer.expires_after(*interval / 2);
    resources_->watchdog_timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) arm_watchdog();
    });
}

}  // namespace hob::lifecycle
