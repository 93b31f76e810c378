// The signals of a daemon: SIGHUP applies the configuration file, all others that would end a process end the
// daemon in order.
#include <signal.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

#include "error.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"
#include "util/signal_name.hpp"

namespace hob::lifecycle {
namespace {

// Not those of a fault of the program, whose default action leaves a core file.
constexpr int ending_signals[] = {SIGTERM,   SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,   SIGALRM,
                                  SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT, SIGXCPU};

}  // namespace

void daemon::watch_signals() {
    boost::asio::signal_set& signals = resources_->signals;
    signals.add(SIGHUP);
    for (const int number : ending_signals)
        signals.add(number);
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
        boost::system::error_code reserved;  // by a tool that the daemon runs under, such as valgrind
        signals.add(number, reserved);
    }
    ::signal(SIGPIPE, SIG_IGN);
    util::spawn(executor(), wait_for_signals(), "signals");
}

boost::asio::awaitable<void> daemon::wait_for_signals() {
    for (;;) {
        boost::system::error_code error;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
        const int number = co_await resources_->signals.async_wait(token);
        if (error) co_return;
        signalled(number, false);
    }
}

// A terminal and a service manager may signal both this process and its keeper: that is one request.
void daemon::signalled(int number, bool by_keeper) {
    if (number == SIGHUP) {
        try {
            reload(config_change::replace_agreed);
        } catch (const failure& why) {
            util::log(util::level::error, "config", "cannot reload", {util::field("reason", why.what())});
        }
        return;
    }
    const int before = std::max(signals_[0], signals_[1]);
    if (++signals_[by_keeper ? 1 : 0] <= before) return;
    begin_shutdown(draining() ? shutdown_mode::now : shutdown_mode::graceful,
                   "SIG" + util::signal_name(number));
}

}  // namespace hob::lifecycle
