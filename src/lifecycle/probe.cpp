#include "lifecycle/probe.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "identity.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/startup_watch.hpp"
#include "lifecycle/state_lock.hpp"
#include "util/duration.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"

namespace hob::lifecycle {
namespace {

probe_result from_failure(daemon_state state, failure why) {
    probe_result result;
    result.state = state;
    result.problem = std::move(why);
    return result;
}

probe_result foreign(cannot tried, std::string reason) {
    return from_failure(daemon_state::foreign,
                        failure(error_kind::foreign, std::move(tried), std::move(reason)));
}

failure wedged_failure(const instance& where, pid_t pid, std::chrono::milliseconds waited) {
    const std::string end_it = command_text("shutdown --now") + " ends it";
    std::string reason = "its pid is not known";
    std::string hint;
    const auto stat = pid ? util::read_proc_stat(pid) : std::nullopt;
    if (stat) {
        reason = "pid " + std::to_string(pid) + " is " + util::state_text(stat->state);
        const bool stopped = stat->state == 'T' || stat->state == 't';
        hint = stopped ? "kill -CONT " + std::to_string(pid) + " resumes it; " + end_it : end_it;
    }
    reason += ", no greeting within " + util::format_duration(waited);
    return failure(error_kind::wedged, cannot("reach the daemon of", where.root), reason, hint);
}

// Nobody listens, or the server hung up: the lock decides.
probe_result state_by_lock(const instance& where, const lock_view& lock, bool hung_up) {
    probe_result result;
    result.pid = lock.pid;
    result.hung_up = hung_up;
    switch (lock.state) {
        case lock_state::free:
            result.state = daemon_state::dead;
            return result;
        case lock_state::denied:
            return from_failure(daemon_state::denied, denied("look at", where.pid_path(), lock.error));
        case lock_state::foreign:
            return foreign(cannot("use", where.pid_path()), "not a regular file of ours");
        case lock_state::held:
            break;
    }
    const util::process_handle holder(lock.pid);
    const bool is_kept = lock.pid && (!holder || holder.has_ended());  // only the keeper holds it
    if (is_kept) {
        if (auto loop = crash_loop(where)) return from_failure(daemon_state::orphaned, std::move(*loop));
    }
    result.page = page_of_holder(where, lock.pid);
    // A daemon that shuts down says so in its page before it hangs up.
    const bool drains = result.page ? result.page->draining : hung_up && !is_kept;
    result.state = drains ? daemon_state::draining : daemon_state::starting;
    return result;
}

probe_result state_by_lock(const instance& where, bool hung_up) {
    return state_by_lock(where, query_lock(where.pid_path()), hung_up);
}

// The daemon that lives has not listened yet: at its socket listens another process, which will hand it over.
bool is_before_listening(const instance& where, pid_t peer, pid_t daemon) {
    return peer > 0 && daemon > 0 && peer != daemon && !has_open(peer, where.pid_path());
}

// No greeting: connected, or the backlog stayed full.
probe_result state_of_silent_server(const instance& where, pid_t peer, std::chrono::milliseconds waited) {
    probe_result result = state_by_lock(where, false);
    if (result.state == daemon_state::denied || result.state == daemon_state::foreign) return result;
    if (result.state == daemon_state::dead) {
        result = foreign(cannot("reach the daemon of", where.root),
                         "what listens at '" + where.socket_path() + "' is silent and holds no lock");
        result.silent = true;
        return result;
    }
    if (is_before_listening(where, peer, result.pid)) return result;
    if (peer) result.pid = peer;
    result.state = daemon_state::wedged;
    result.problem = wedged_failure(where, result.pid, waited);
    return result;
}

probe_result state_by_connect_error(const instance& where, int error, std::chrono::milliseconds waited) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ECONNREFUSED:
            return state_by_lock(where, false);
        case EAGAIN:
            return state_of_silent_server(where, 0, waited);
        case EPROTOTYPE:
        case ENOTSOCK:
        case ELOOP:
            return foreign(cannot("use", where.socket_path()), errno_text(error));
        default:
            return from_failure(daemon_state::denied, denied("connect to", where.socket_path(), error));
    }
}

config_note note_config = nullptr;

probe_result of_another_user(const instance& where, uid_t user) {
    return foreign(cannot("use", where.socket_path()), "its server belongs to user " + std::to_string(user));
}

bool is_our_daemon(const instance& where, pid_t pid) {
    struct stat process {};
    return ::stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0 && process.st_uid == ::geteuid() &&
           has_open(pid, where.pid_path());
}

probe_result greet(const instance& where, util::unique_fd socket, util::deadline limit,
                   std::chrono::milliseconds waited, const std::optional<ipc::early_request>& early) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return from_failure(daemon_state::denied, denied("look at the peer of", where.socket_path(), errno));
    }
    // The service manager of the system listens as root, for daemons of any user.
    if (peer.uid != ::geteuid() && peer.uid != 0) return of_another_user(where, peer.uid);
    ipc::client connection(std::move(socket), peer);
    if (early) connection.send_early(*early);
    switch (connection.read_greeting(limit)) {
        case ipc::client::greeting_result::greeted:
            break;
        case ipc::client::greeting_result::timed_out:
            return state_of_silent_server(where, peer.pid, waited);
        case ipc::client::greeting_result::closed:
            return state_by_lock(where, true);
        case ipc::client::greeting_result::foreign:
            return foreign(cannot("use", where.socket_path()),
                           std::string("what answers is not ") + this_program.name);
    }
    // Who listened when this client connected: a service manager, or the daemon before this one.
    const pid_t greeted = connection.greeting().pid;
    if (peer.uid != ::geteuid() && !is_our_daemon(where, greeted)) return of_another_user(where, peer.uid);
    if (peer.pid != greeted && peer.pid > 0 && !has_open(peer.pid, where.pid_path()))
        connection.set_peer_pid(greeted);
    if (note_config && !connection.greeting().config_state.empty()) note_config(connection.greeting());
    probe_result result;
    result.pid = connection.greeting().pid;
    result.state = connection.greeting().draining ? daemon_state::draining : daemon_state::alive;
    result.connection = std::move(connection);
    return result;
}

}  // namespace

void set_config_note(config_note note) { note_config = note; }

std::optional<ipc::page_content> page_of_holder(const instance& where, pid_t holder) {
    if (!holder) return std::nullopt;
    auto page = ipc::read_status_page(where.page_path());
    if (!page || page->pid != holder) return std::nullopt;
    const auto stat = util::read_proc_stat(holder);
    if (!stat || stat->start_time != page->start_time) return std::nullopt;
    return page;
}

namespace {

probe_result look(const instance& where, util::deadline limit, std::chrono::milliseconds waited,
                  const std::optional<ipc::early_request>& early, first_look first) {
    try {
        if (!check_runtime_dir(where.runtime_dir, false)) return {};
    } catch (const failure& why) {
        return from_failure(why.kind() == error_kind::foreign ? daemon_state::foreign : daemon_state::denied,
                            why);
    }
    if (first == first_look::lock) {
        const lock_view lock = query_lock(where.pid_path());
        if (lock.state != lock_state::held) return state_by_lock(where, lock, false);
    }
    auto connection = ipc::connect_unix(where.socket_path(), limit);
    if (!connection.socket) return state_by_connect_error(where, connection.error, waited);
    return greet(where, std::move(connection.socket), limit, waited, early);
}

// A daemon that was seen neither by its lock nor by its socket may still hold the state directory: under
// another runtime directory, or where the same path is another directory. nullopt: `found` is the whole
// truth.
std::optional<failure> out_of_sight(const instance& where, probe_result& found) {
    if (found.state == daemon_state::starting && found.page) {
        // It has published its page, so it has listened. A stopped process binds nothing anew.
        const auto process = util::read_proc_stat(found.pid);
        if (!process || process->state == 'T' || process->state == 't') return std::nullopt;
        state_holder holder;
        holder.pid = found.pid;
        holder.visible = true;
        holder.socket = where.socket_path();
        return runs_elsewhere(where, holder);
    }
    if (found.state != daemon_state::dead) return std::nullopt;
    const auto holder = query_state_lock(where);
    if (!holder) return std::nullopt;
    if (!holder->draining) return runs_elsewhere(where, *holder);
    found.state = daemon_state::draining;
    found.pid = holder->visible ? holder->pid : 0;
    return std::nullopt;
}

// The server hung up without a word of its end: it has just died, and its keeper starts the next one.
bool has_just_died(const probe_result& seen) {
    const bool is_held = seen.state == daemon_state::starting || seen.state == daemon_state::draining;
    return seen.hung_up && is_held && !(seen.page && seen.page->draining);
}

bool has_failed_since(const instance& where, std::int64_t began) {
    const auto last = read_start_failure(where);
    return last && last->at >= began;
}

}  // namespace

probe_result probe(const instance& where, util::deadline limit, std::chrono::milliseconds patience,
                   const std::optional<ipc::early_request>& early, first_look first) {
    const auto began = boot_milliseconds();
    const auto waited = std::min(patience, limit.remaining());
    const auto greeting_limit = util::deadline::in(waited);
    probe_result found = look(where, greeting_limit, waited, early, first);
    const auto sight_limit = greeting_limit.earlier(util::deadline::in(limits::out_of_sight));
    // To connect again after a failed start would make a service manager start one more.
    while (has_just_died(found) && !has_failed_since(where, began) && !sight_limit.expired()) {
        startup_watch(where.runtime_dir).wait(sight_limit);
        found = look(where, greeting_limit, waited, early, first);
    }
    if (has_just_died(found)) return found;
    auto hidden = out_of_sight(where, found);
    if (!hidden) return found;
    // It may just have lost a file: then it binds its socket anew, or shuts down.
    while (hidden && !sight_limit.expired()) {
        startup_watch(where.runtime_dir).wait(sight_limit);
        found = look(where, greeting_limit, waited, early, first);
        hidden = out_of_sight(where, found);
    }
    if (hidden) found = from_failure(daemon_state::denied, *hidden);
    return found;
}

}  // namespace hob::lifecycle
