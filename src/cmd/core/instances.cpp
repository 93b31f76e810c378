#include "cmd/core/instances.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "cmd/core/status_json.hpp"
#include "identity.hpp"
#include "ipc/status_page.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/probe.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t greeters = 8;

std::optional<std::int64_t> uptime_from(const std::optional<ipc::page_content>& page) {
    if (!page) return std::nullopt;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::max<std::int64_t>(std::chrono::duration_cast<milliseconds>(now).count() - page->started_at_ms,
                                  0);
}

void ask(instance_view& view, ipc::client& daemon, util::deadline limit, bool with_status) {
    const ipc::hello& greeting = daemon.greeting();
    view.version = greeting.version;
    if (view.where.root.empty()) view.where.root = greeting.root;
    if (with_status) {
        view.status_json = daemon.call(this_program.methods.status, "{}", limit);
    } else if (!view.uptime_ms) {
        const auto reply = ipc::parse_ping_result(daemon.call(this_program.methods.ping, "{}", limit));
        if (reply) view.uptime_ms = reply->uptime_ms;
    }
}

}  // namespace

std::string state_name(lifecycle::daemon_state seen) {
    if (seen == lifecycle::daemon_state::alive) return "running";
    return seen == lifecycle::daemon_state::dead ? "stopped" : lifecycle::name_of(seen);
}

instance_view look_at_instance(const lifecycle::instance& where, util::deadline limit, bool with_status) {
    instance_view view;
    view.where = where;
    std::optional<ipc::page_content> page;
    try {
        const auto until = limit.earlier(util::deadline::in(limits::glance_timeout));
        auto found = lifecycle::probe(where, until, limits::glance_timeout);
        view.state = state_name(found.seen);
        view.pid = found.seen == lifecycle::daemon_state::dead ? 0 : found.pid;
        page = lifecycle::page_of_holder(where, view.pid);
        if (page) view.version = page->version;
        view.uptime_ms = uptime_from(page);
        if (found.connection) ask(view, *found.connection, until, with_status);
    } catch (const failure&) {  // it greeted and then kept silent, or not even that
        if (view.state != "draining") view.state = "wedged";
    } catch (const ipc::not_executed&) {
        view.state = "draining";
    }
    if (with_status && view.status_json.empty()) {
        view.status_json = silent_status_json(view.where, view.state, view.pid, page);
    }
    return view;
}

std::vector<instance_view> look_at_instances(util::deadline limit, bool with_status) {
    const std::string runtime_dir = lifecycle::find_runtime_dir();
    lifecycle::check_runtime_dir(runtime_dir, false);
    const std::vector<std::string> keys = lifecycle::known_keys(runtime_dir, lifecycle::find_state_root());
    std::vector<instance_view> views(keys.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < keys.size(); i = next++) {
            try {
                views[i] = look_at_instance(lifecycle::known_instance(keys[i]), limit, with_status);
            } catch (const std::exception&) {  // of this instance alone: the others are still listed
                views[i].where.key = keys[i];
                views[i].state = "denied";
                if (with_status)
                    views[i].status_json = silent_status_json(views[i].where, "denied", 0, std::nullopt);
            }
        }
    };
    std::vector<std::jthread> helpers;
    const bool any_held = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
        return lifecycle::query_lock(runtime_dir + "/" + key + ".pid").state != lifecycle::lock_state::free;
    });
    if (any_held && keys.size() > 1) {
        for (std::size_t i = 1; i < std::min(greeters, keys.size()); ++i)
            helpers.emplace_back(work);
    }
    work();
    helpers.clear();
    return views;
}

}  // namespace hob::cmd
