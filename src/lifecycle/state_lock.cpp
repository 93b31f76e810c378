#include "lifecycle/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/client.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"
#include "util/log/log.hpp"
#include "util/process_handle.hpp"

namespace hob::lifecycle {
namespace {

struct holder {
    pid_t pid = 0;
    std::string socket;
};

// "PID\nSOCKET\n"
std::optional<holder> read_holder(const instance& where) {
    const auto bytes = util::read_file(where.holder_path(), limits::small_file_max, false);
    if (!bytes) return std::nullopt;
    const auto end = bytes->find('\n');
    if (end == std::string::npos || bytes->back() != '\n' || end + 1 >= bytes->size()) return std::nullopt;
    holder found;
    std::from_chars(bytes->data(), bytes->data() + end, found.pid);
    if (found.pid <= 1) return std::nullopt;
    found.socket = bytes->substr(end + 1, bytes->size() - end - 2);
    return found;
}

enum class presence { serving, leaving, silent };

presence presence_of(const holder& owner, util::deadline limit) {
    auto connection = ipc::connect_unix(owner.socket, limit);
    if (!connection.socket) return connection.error == EAGAIN ? presence::silent : presence::leaving;
    ipc::client client(std::move(connection.socket), ucred{});
    switch (client.read_greeting(limit)) {
        case ipc::client::greeting_result::greeted:
            break;
        case ipc::client::greeting_result::closed:
            return presence::leaving;
        case ipc::client::greeting_result::timed_out:
        case ipc::client::greeting_result::foreign:
            return presence::silent;
    }
    return client.greeting().draining ? presence::leaving : presence::serving;
}

failure elsewhere(const instance& where, const holder& owner, const char* how) {
    return failure(
        error_kind::instance_elsewhere, cannot("start the daemon of", where.root),
        fmt::format("it {} as pid {}, with its socket at '{}'", how, owner.pid, owner.socket),
        fmt::format(
            "the runtime directory has changed, as after a login: set {} to that of the socket, and end "
            "it there with {}",
            this_program.variables.runtime_dir, command_text("shutdown")));
}

void wait_for_holder(const instance& where, util::deadline limit) {
    const auto owner = read_holder(where);
    const util::process_handle process(owner ? owner->pid : 0);
    const auto soon = limit.earlier(util::deadline::in(limits::look_again));
    if (!process) {
        // The lock was just taken and `holder` is not written yet, or the process has ended and the kernel is
        // about to release the lock.
        startup_watch(where.state_dir()).wait(soon);
        return;
    }
    if (owner->socket != where.socket_path()) {
        switch (presence_of(*owner, limit.earlier(util::deadline::in(limits::greeting_timeout)))) {
            case presence::serving:
                throw elsewhere(where, *owner, "runs already");
            case presence::silent:
                throw elsewhere(where, *owner, "exists already, but does not answer,");
            case presence::leaving:
                break;
        }
        util::log(util::level::info, "lifecycle",
                  "waiting for this instance's daemon in another runtime dir to end",
                  {util::field("pid", owner->pid), util::field("socket", owner->socket)});
        if (!process.wait(limit)) throw elsewhere(where, *owner, "is still ending");
        return;
    }
    process.wait(soon);
}

}  // namespace

util::unique_fd take_state_lock(const instance& where, util::deadline limit) {
    const std::string directory = where.state_dir();
    util::unique_fd fd = util::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) throw denied("open", directory, errno);
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) throw denied("lock", directory, errno);
        if (limit.expired()) {
            throw failure(error_kind::start_failed, cannot("lock", directory), "something else holds it");
        }
        wait_for_holder(where, limit);
    }
    // Others read it only while this process holds the lock.
    util::renew_file(where.holder_path(), fmt::format("{}\n{}\n", ::getpid(), where.socket_path()));
    return fd;
}

}  // namespace hob::lifecycle
