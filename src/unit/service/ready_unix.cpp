// `ready = { unix = "run/db.sock" }`: ready when the service accepts a connection on this socket.

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "error.hpp"
#include "ipc/unix_socket.hpp"
#include "unit/service/readiness.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

// Who called listen(2). A socket file may be the one of an earlier service, or of another project.
bool is_ours(int socket, const readiness_target& target) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (!target.belongs || ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0)
        return true;
    if (target.belongs(peer.pid)) return true;
    const auto process = util::read_proc_stat(peer.pid);
    target.not_yet.why =
        fmt::format("'{}' is answered by pid {}{}, which is no part of it{}", target.ready().path, peer.pid,
                    process ? fmt::format(" ({})", process->comm) : "", owner_advice);
    return false;
}

asio::awaitable<bool> probe(const readiness_target& target) {
    const auto connected = ipc::connect_unix(target.ready().path, util::deadline::in(milliseconds(0)));
    if (!connected.socket) {
        target.not_yet.why = fmt::format("'{}': {}", target.ready().path, errno_text(connected.error));
        co_return false;
    }
    co_return is_ours(connected.socket.get(), target);
}

std::string text(const ready_spec& ready) { return fmt::format("unix = \"{}\"", ready.path); }

}  // namespace

extern constinit const readiness_kind ready_unix{
    .form = ready_form::unix_socket,
    .text = text,
    .probe = probe,
};

}  // namespace hob::unit
