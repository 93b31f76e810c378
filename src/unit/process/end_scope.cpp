// How the processes of a scope are ended.

#include <fcntl.h>
#include <signal.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "unit/process/cgroup.hpp"
#include "unit/process/scope.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"
#include "util/process_handle.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// A kernel file whose content has changed since it was read.
asio::awaitable<void> changed(asio::posix::stream_descriptor& descriptor) {
    co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_error, asio::use_awaitable);
}

asio::awaitable<bool> wait_cgroup_empty(std::string cgroup, util::deadline limit) {
    util::unique_fd events = util::open_file(cgroup + "/cgroup.events", O_RDONLY);
    if (!events) co_return true;
    asio::posix::stream_descriptor descriptor(co_await asio::this_coro::executor, events.release());
    while (is_populated(descriptor.native_handle())) {
        const bool in_time = co_await util::within(limit.remaining(), changed(descriptor));
        if (!in_time) co_return false;
    }
    co_return true;
}

}  // namespace

asio::awaitable<bool> wait_gone(std::vector<member> members, util::deadline limit) {
    for (const auto& process : members) {
        util::process_handle held(process.pid, process.start_time);
        if (!held) continue;
        const bool in_time = co_await util::wait_for_end(std::move(held), limit);
        if (!in_time) co_return false;
    }
    co_return true;
}

asio::awaitable<std::vector<member>> end_scope(scope target, util::deadline limit) {
    for (;;) {
        const bool cgroup_killed = kill_scope_cgroup(target);
        auto left = find_members(target);
        if (left.empty() && !cgroup_killed) co_return left;
        for (const auto& process : left)
            signal_member(process, SIGKILL);
        const pid_t example = left.empty() ? 0 : left.front().pid;
        const auto count = left.size();
        bool gone = co_await wait_gone(left, limit);
        if (gone && cgroup_killed) {
            gone = co_await wait_cgroup_empty(target.cgroup, limit);
        }
        if (!gone || limit.expired()) {
            util::log(
                util::level::warning, "unit", "processes of a unit could not be ended",
                {util::field("unit", target.unit), util::field("count", count), util::field("pid", example)});
            co_return find_members(target);
        }
    }
}

}  // namespace hob::unit
