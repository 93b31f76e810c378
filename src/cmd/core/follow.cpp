#include "cmd/core/follow.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "error.hpp"

namespace hob::cmd {

followed follow(ipc::client& from, ipc::incoming& into, util::deadline limit, util::deadline tick, int keys) {
    for (;;) {
        // First a message that is buffered already: poll() does not report it.
        try {
            auto message = from.next(util::deadline::in(std::chrono::milliseconds(0)));
            if (!message) return followed::daemon_gone;
            into = std::move(*message);
            return followed::message;
        } catch (const failure& why) {
            if (why.kind() != error_kind::timeout) throw;
        }
        if (limit.expired()) throw failure(error_kind::timeout, cannot("finish"), "the deadline is over");
        if (tick.expired()) return followed::tick;
        pollfd watched[] = {{from.socket(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}, {keys, POLLIN, 0}};
        ::poll(watched, 3, limit.earlier(tick).poll_timeout());
        if (watched[1].revents & (POLLERR | POLLHUP)) return followed::reader_gone;
        if (watched[2].revents != 0) return followed::key;
    }
}

void interrupt_is_success() {
    struct sigaction action {};
    action.sa_handler = [](int) { ::_exit(0); };
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace hob::cmd
