#pragma once
// What the registry and other units know of a unit, whatever its kind. Its state has one writer, enter().

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/unit_state.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/spec/spec.hpp"
#include "unit/spec/unit_status.hpp"
#include "unit/store/run_store.hpp"
#include "unit/supervise/process_definition.hpp"
#include "unit/supervise/registry_options.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/disk_sync.hpp"
#include "util/wall_clock.hpp"

namespace hob::unit {

using ipc::unit_state;

class managed_unit;
class attachment;
class active_run;

// What all units share; the registry makes it, and every unit holds it, too.
struct unit_context {
    registry_options options;
    bool closing = false;  // stop_all(): no new starts
    // Any unit by name; nullptr: there is none. Ask again after each suspension.
    std::function<std::shared_ptr<managed_unit>(std::string_view name)> find;
    run_store runs{options.db};
    std::shared_ptr<util::disk_sync> disk{util::disk_sync::make(options.executor, options.db.log_path())};
    std::map<std::int64_t, std::weak_ptr<active_run>> active_runs{};   // begun and not over, by id
    std::map<std::uint64_t, std::weak_ptr<attachment>> attachments{};  // those that are on, by number
    std::uint64_t last_attachment = 0;
    std::string root{};                        // what patterns of files are relative to
    std::shared_ptr<util::wall_clock> wall{};  // made by the first that needs it
    bool draining = false;  // nothing begins by itself any more; what was asked for is still done
    std::unique_ptr<cgroup_home> cgroups{};

    // What a process of `spec` finds in its environment; `caller`: instead of the daemon's own base. Throws
    // failure(unit_failed) for an env_file that cannot be read.
    std::vector<std::string> environment_of(const unit_spec& spec,
                                            const std::optional<std::vector<std::string>>& caller) const;
};

class managed_unit : public std::enable_shared_from_this<managed_unit> {
public:
    using environment = std::vector<std::string>;  // K=V

    virtual ~managed_unit() = default;
    managed_unit(const managed_unit&) = delete;
    managed_unit& operator=(const managed_unit&) = delete;

    const unit_spec& spec() const { return *spec_; }
    ipc::unit_state state() const { return state_; }
    virtual unit_status status() const;  // name, kind, state and since are filled in here

    virtual bool running() const = 0;           // a process of it exists, or is about to
    virtual std::size_t in_flight() const = 0;  // what somebody waits for
    virtual bool ready() const = 0;             // what names it in `after` may begin
    virtual bool failed() const = 0;            // it was tried, and is not ready because of that

    virtual bool idle() const { return in_flight() == 0; }

    virtual bool awaits_trigger() const { return false; }  // it will begin something by itself
    virtual void retired() {
    }  // taken out of the configuration: it begins nothing any more; reconfigure() undoes it

    // See registry. The arguments are the coroutine's own.
    virtual boost::asio::awaitable<void> start(std::optional<environment> caller) = 0;
    virtual boost::asio::awaitable<void> stop(bool hold) = 0;
    virtual boost::asio::awaitable<void> restart(std::optional<environment> caller) = 0;

    // What start() and stop(true) make durable, ahead of them: for several units in one step.
    virtual void record_desired_state(bool up, const std::optional<environment>& caller) = 0;
    // The daemon is up, or this configuration is consented to only now: what starts by itself may. Again
    // after each reload.
    virtual void begin() {}
    virtual void pull(
        std::optional<environment> caller) = 0;  // as start(), in the background, failures logged
    // Of a task: runs it, or joins the run in progress, for a unit that names it in `after`. Returns when it
    // has ended with 0, retries included. Throws failure(unit_failed).
    virtual boost::asio::awaitable<void> run_for(std::string dependent);
    virtual void request_stop(const char* why) = 0;  // in the background
    virtual void kill_now() = 0;                     // SIGKILL, also to what is being stopped
    virtual void reconfigure(unit_spec spec, running_process running) = 0;
    // A process runs with an earlier definition than the configuration has.
    virtual bool definition_changed() const { return false; }
    virtual void set_log_limits(std::uint64_t max_size, int max_files) = 0;

    // Rings at every change of state, of what it waits for, and when nobody waits for it any more.
    util::notifier& changes() { return changes_; }

protected:
    // `state`: the one that it begins in.
    managed_unit(std::shared_ptr<unit_context> context, unit_spec spec, unit_state state);

    // Runs the tasks in `after`, in parallel, and returns when each has ended with 0. Throws
    // failure(unit_failed, timeout): `cannot VERB 'NAME': it needs …`.
    boost::asio::awaitable<void> run_tasks_before(const char* verb, util::deadline limit) const;
    bool has_tasks_before() const;

    // The first of the units in `after`, tasks left out, that is not ready; nullptr: all are. Ask again after
    // each suspension.
    std::shared_ptr<managed_unit> first_unready() const;
    // Starts those of them that are not.
    void pull_units(const std::optional<environment>& caller) const;
    // Starts them and waits until all are ready. Throws failure(unit_failed, timeout): `cannot VERB 'NAME':
    // it waits for …`.
    boost::asio::awaitable<void> await_units(const char* verb, util::deadline limit);

    // The one writer of the state: sets it, logs it, publishes it, wakes who waits.
    void enter(unit_state state, pid_t pid);

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every other unit
    std::shared_ptr<const unit_spec> spec_;        // a process keeps the one that it was started with

private:
    unit_state state_;
    std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
    util::notifier changes_;
};

}  // namespace hob::unit
