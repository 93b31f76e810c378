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

constexpr std::size_t threads_max = 8;

std::optional<std::int64_t> uptime_from(const std::optional<ipc::page_content>& page) {
    if (!page) return std::nullopt;
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t now_ms = std::chrono::duration_cast<milliseconds>(since_epoch).count();
    return std::max<std::int64_t>(now_ms - page->started_at_ms, 0);
}

void ask_daemon(instance_view& view, ipc::client& daemon, util::deadline limit, bool with_status) {
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

instance_view probe_instance(const lifecycle::instance& where, util::deadline limit, bool with_status) {
    instance_view view;
    view.where = where;
    std::optional<ipc::page_content> page;
    try {
        const auto until = limit.earlier(util::deadline::in(limits::glance_timeout));
        auto found = lifecycle::probe(where, until, limits::glance_timeout);
        view.state = found.state;
        view.pid = found.state == lifecycle::daemon_state::dead ? 0 : found.pid;
        page = lifecycle::page_of_holder(where, view.pid);
        if (page) view.version = page->version;
        view.uptime_ms = uptime_from(page);
        if (found.connection) ask_daemon(view, *found.connection, until, with_status);
    } catch (const failure& why) {  // it did not answer the request
        if (why.kind() == error_kind::daemon_lost) {
            view.state = lifecycle::daemon_state::starting;  // its keeper starts the next one
        } else if (view.state != lifecycle::daemon_state::draining) {
            view.state = lifecycle::daemon_state::wedged;
        }
    } catch (const ipc::not_executed&) {
        view.state = lifecycle::daemon_state::draining;
    }
    if (with_status && view.status_json.empty()) {
        view.status_json = silent_status_json(view.where, view.state, view.pid, page);
    }
    return view;
}

std::vector<instance_view> probe_instances(util::deadline limit, bool with_status) {
    const std::string runtime_dir = lifecycle::find_runtime_dir();
    lifecycle::check_runtime_dir(runtime_dir, false);
    const std::vector<std::string> keys = lifecycle::known_keys(runtime_dir, lifecycle::find_state_root());
    std::vector<instance_view> views(keys.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < keys.size(); i = next++) {
            try {
                views[i] = probe_instance(lifecycle::known_instance(keys[i]), limit, with_status);
            } catch (const std::exception&) {  // about this instance only: list the others
                views[i].where.key = keys[i];
                views[i].state = lifecycle::daemon_state::denied;
                if (with_status)
                    views[i].status_json =
                        silent_status_json(views[i].where, views[i].state, 0, std::nullopt);
            }
        }
    };
    std::vector<std::jthread> helpers;
    const bool any_held = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
        return lifecycle::query_lock(runtime_dir + "/" + key + ".pid").state != lifecycle::lock_state::free;
    });
    if (any_held && keys.size() > 1) {
        for (std::size_t i = 1; i < std::min(threads_max, keys.size()); ++i)
            helpers.emplace_back(work);
    }
    work();
    helpers.clear();
    return views;
}

}  // namespace hob::cmd
