#include "unit/process/subreaper.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "unit/process/known_children.hpp"
#include "util/orphans.hpp"

namespace hob::unit {

std::unordered_set<pid_t>& known_children() {
    static std::unordered_set<pid_t> pids;
    return pids;
}

namespace {

pid_t unit_root = 0;

}  // namespace

pid_t root_of_units() { return unit_root != 0 ? unit_root : ::getpid(); }

void set_root_of_units(pid_t pid) { unit_root = pid; }

struct subreaper::state : std::enable_shared_from_this<subreaper::state> {
    explicit state(const boost::asio::any_io_executor& executor) : signals(executor, SIGCHLD) {}

    void wait() {
        signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
            if (error) return;
            reap_orphans();
            self->wait();
        });
    }

    boost::asio::signal_set signals;
};

subreaper::subreaper(const boost::asio::any_io_executor& executor)
    : state_(std::make_shared<state>(executor)) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    state_->wait();
}

subreaper::~subreaper() {
    boost::system::error_code ignored;
    state_->signals.cancel(ignored);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int subreaper::reap_orphans() {
    return util::reap_children_except([](pid_t pid) { return known_children().contains(pid); });
}

}  // namespace hob::unit
