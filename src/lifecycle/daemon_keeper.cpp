// A daemon and its keeper: what it takes over from a daemon before it, and what it hands over itself.
#include "identity.hpp"
#include "keeper/message.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/spawn.hpp"
#include "lifecycle/start_keeper.hpp"
#include "limits.hpp"
#include "util/log/log.hpp"

namespace hob::lifecycle {
namespace {

using util::field;
using util::level;

constexpr const char* channel = "lifecycle";
constexpr std::string_view handed_role = "handed";  // a socket of the service manager

}  // namespace

void daemon::connect_keeper() {
    keeper_handle& handle = options_.keeper;
    if (!handle) return;
    keeper_ = std::make_unique<keeper_link>(executor(), handle.pid, std::move(handle.socket));
    keeper_link& keeper = *keeper_;
    keeper.on_asked = [this](int number) { signalled(number, true); };
    keeper.on_lost = [this] { keeper_lost(); };
    if (handle.is_successor) return;
    keeper.hold(lock_key, {{lock_key, options_.lock.fd()}});
    resources_->state_lock.hold_with(keeper);
}

pid_t daemon::keeper_pid() const {
    return keeper_ && keeper_->alive() ? keeper_->pid() : 0;
}

// What it held has ended with it. In the foreground it was the process that was started: its end is that of all.
void daemon::keeper_lost() {
    util::log(level::error, channel, "the keeper is gone, and what it held with it",
              {field("pid", keeper_->pid())});
    application_->keeper_lost();
    is_replaced_ = !draining() && !options_.foreground;
    begin_shutdown(shutdown_mode::graceful, "its keeper is gone");
}

// Until this process ends, both have the lock.
void daemon::start_replacement() {
    if (start_next_daemon(options_.where, options_.lock, options_.caller.nofile)) return;
    util::log(level::error, channel, "cannot start the next daemon", {field("reason", errno_text(errno))});
}

lifecycle::state_lock daemon::take_state_lock() {
    if (held_entry* const held = options_.keeper.find(state_lock_key))
        return state_lock::resume(options_.where, *held, options_.keeper.pid);
    const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(limits::shutdown_timeout_max);
    return state_lock::take(options_.where, util::deadline::in(patience), options_.keeper.pid);
}

// Its clients have waited in its queue. SO_PEERCRED names the process that called listen(2) last.
bool daemon::resume_socket() {
    const std::string path = options_.where.socket_path();
    held_entry* const held = options_.keeper.find(socket_key);
    if (!held) return false;
    options_.handed = held->take(handed_role);
    if (options_.handed) return bind_handed();
    util::unique_fd socket = held->take(socket_key);
    const auto found = identity_of(path);
    if (!socket || !found || held->note != text_of(*found)) return false;
    resources_->listening = std::move(socket);
    resources_->socket = found;
    return true;
}

void daemon::hold_socket() {
    if (!keeper_ || !resources_->socket) return;
    const std::string_view role = resources_->socket_is_handed ? handed_role : socket_key;
    keeper_->hold(socket_key, {{role, resources_->listening.get()}});
    keeper_->note(socket_key, text_of(*resources_->socket));
}

}  // namespace hob::lifecycle
