#pragma once
// The interface of a unit, whatever its kind, to the registry and to other units. enter() is the only writer
// of its state.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/unit_state.hpp"
#include "unit/ports/instance_ports.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/process/child.hpp"
#include "unit/process/unit_log.hpp"
#include "unit/spec/spec.hpp"
#include "unit/spec/unit_status.hpp"
#include "unit/store/run_store.hpp"
#include "unit/supervise/process_definition.hpp"
#include "unit/supervise/registry_options.hpp"
#include "unit/supervise/stop_report.hpp"
#include "unit/watch/kept_watch.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/disk_sync.hpp"
#include "util/turns.hpp"
#include "util/wall_clock.hpp"

namespace hob::unit {

using ipc::unit_state;

class managed_unit;
class attachment;
class service_terminal;
class terminal_attachment;
class active_run;

// The keeper holds what outlives the daemon under this and the name of its unit.
inline constexpr std::string_view held_unit_prefix = "unit/";
// And the files that the configuration was read from.
inline constexpr const char* held_config_key = "config";

// What all units share. The registry makes it; every unit holds it as well.
struct unit_context {
    registry_options options;
    bool closing = false;  // stop_all(): no new starts
    // A unit by name; nullptr: there is none. Call it again after each suspension.
    std::function<std::shared_ptr<managed_unit>(std::string_view name)> find;
    // The unit is ready anew, or has ended with 0: those that are to be restarted then are, except `asking`.
    std::function<void(std::string_view name, std::string_view asking)> became_ready{};
    // Whether the user has named the unit, and all that its start would start, as they are defined now.
    std::function<bool(std::string_view name)> may_start_by_itself{};
    run_store runs{options.db};
    std::shared_ptr<util::disk_sync> disk{util::disk_sync::make(options.executor, options.db.log_path())};
    std::map<std::int64_t, std::weak_ptr<active_run>> active_runs{};   // begun and not over, by id
    // By which clients find the runs that they have asked for; of the latest limits::run_tokens_max.
    std::deque<std::pair<std::string, std::int64_t>> run_tokens{};
    void note_token(const std::string& token, std::int64_t run);
    std::map<std::uint64_t, std::weak_ptr<attachment>> attachments{};  // of connected editors, by number
    std::map<std::uint64_t, std::weak_ptr<terminal_attachment>> terminals{};  // likewise, of services
    std::uint64_t last_attachment = 0;                                        // of either kind
    // Of the keys of queued runs; the next daemon continues with higher ones.
    std::int64_t last_queued = std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count();
    std::string root{};                        // patterns of files are relative to it
    std::shared_ptr<util::wall_clock> wall{};  // made by the first unit that needs it
    bool draining = false;  // no trigger starts anything any more; requests are still carried out
    // Set with `draining` or `closing`.
    std::unique_ptr<util::manual_reset_event> drain_began{
        std::make_unique<util::manual_reset_event>(options.executor)};
    std::unique_ptr<cgroup_home> cgroups{};
    // To launch a process and to look for those of a unit takes milliseconds each, and a thousand services may
    // be started or stopped at once.
    std::shared_ptr<util::turns> turns{util::turns::make(options.executor)};
    std::unique_ptr<instance_ports> ports{};

    // That to which units are told; nullptr: nothing outlives this daemon.
    lifecycle::keeper_link* keeper() const {
        return options.keeper && options.keeper->goes_on() ? options.keeper : nullptr;
    }

    // The environment of a process of `spec`, for which ports are chosen. `caller` replaces the daemon's base
    // environment. Throws failure(unit_failed), such as for an env_file that cannot be read.
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
    // Filled in here: name, kind, state, since, and as the detail what its last stop left to say.
    virtual unit_status status() const;

    const stop_report& last_stop() const { return stop_report_; }

    virtual bool running() const = 0;           // it has a process, or is about to start one
    virtual std::size_t in_flight() const = 0;  // calls or runs that a client waits for
    virtual bool ready() const = 0;             // units that name it in `after` may start
    virtual bool failed() const = 0;            // a start of it failed, and it is not ready because of that

    // If it is not ready: a start of it was requested and may still succeed, without a further request.
    virtual bool coming_up() const = 0;

    virtual bool idle() const { return in_flight() == 0; }

    // What clients can be attached to; nullptr: nothing.
    virtual std::shared_ptr<service_terminal> terminal() { return nullptr; }

    virtual bool awaits_trigger() const { return false; }  // a trigger will start it

    // Of a service: how many of its processes have ended or could not be started, ever, and how the last one
    // ended; nullopt: it could not be started.
    virtual std::uint64_t ends() const { return 0; }
    virtual std::optional<exit_state> last_exit() const { return std::nullopt; }
    // The configuration no longer has it: no trigger starts it any more. reconfigure() undoes this.
    virtual void retired() {}

    // See registry. The coroutine owns its arguments.
    virtual boost::asio::awaitable<void> start(std::optional<environment> caller) = 0;
    // Throws failure(unit_failed) when a process of it could not be ended.
    virtual boost::asio::awaitable<void> stop(bool hold) = 0;
    virtual boost::asio::awaitable<void> restart(std::optional<environment> caller) = 0;

    // Records what start() or stop(true) will record, ahead of them: so that several units are recorded in
    // one step.
    virtual void record_desired_state(bool up, const std::optional<environment>& caller) = 0;
    // Starts it if it is to start by itself and may. Called once the daemon is up, after each reload, and
    // when the user has named units.
    virtual void begin() {}
    virtual void request_start(
        std::optional<environment> caller) = 0;  // as start(), in the background; failures are logged
    // Of a task: runs it, or joins the run in progress, for a unit that names it in `after`. Returns when it
    // has ended with 0, retries included. Throws failure(unit_failed).
    virtual boost::asio::awaitable<void> run_for(std::string dependent);
    virtual void request_stop(const char* why) = 0;  // in the background
    // Restarts its process, if it has one, in the background. The restart is not counted.
    virtual void request_new_process(const char*) {}
    virtual void kill_now() = 0;  // SIGKILL, also to what is being stopped
    // Sends the signal to its main process, or to all of it. Throws failure(unit_failed) if it has none.
    virtual void signal(int number, bool whole);
    virtual void reconfigure(unit_spec spec, running_process running) = 0;
    // A process runs with an earlier definition than the configuration has.
    virtual bool definition_changed() const { return false; }
    // Another program is about to take over in this process: returns once nothing of it is in progress that
    // could not go on, and the keeper holds what goes on. What cannot is ended.
    virtual boost::asio::awaitable<void> hand_over(util::deadline limit);
    // Goes on with what the keeper holds of it, right after the daemon's start.
    virtual void adopt(lifecycle::held_entry) {}
    void adopt_watch(lifecycle::held_entry held) { earlier_watch_ = std::move(held); }
    virtual void set_log_limits(std::uint64_t max_size, int max_files) = 0;
    // It has failed, or is restarted again and again, or its last run failed.
    virtual bool failing() const { return state_ == unit_state::failed; }

    // Rings at every change of its state or of the reason for it, and when its last call or run has ended.
    util::notifier& changes() { return changes_; }

protected:
    // `state`: the initial one.
    managed_unit(std::shared_ptr<unit_context> context, unit_spec spec, unit_state state);

    // Runs the tasks in `after`, in parallel, and returns when each has ended with 0. Throws
    // failure(unit_failed, timeout): `cannot VERB 'NAME': it needs …`.
    boost::asio::awaitable<void> run_tasks_before(const char* verb, util::deadline limit) const;
    bool has_tasks_before() const;

    // The first of the units in `after`, tasks left out, that is not ready; nullptr: all are. Call it again
    // after each suspension.
    std::shared_ptr<managed_unit> first_unready_dependency() const;
    // Starts those that are not ready.
    void start_dependencies(const std::optional<environment>& caller) const;
    // The dependency, if it is not going to be ready without a further request: it has failed, or was
    // stopped.
    static bool is_hopeless(const managed_unit& dependency);
    // It is not going to be ready, and is not tried again either.
    static bool is_over(const managed_unit& dependency);
    // "it waits for 'db', which is starting"
    static std::string waits_for(const managed_unit& dependency);
    // Starts them and waits until all are ready, or until one is hopeless. Throws failure(unit_failed,
    // timeout): `cannot VERB 'NAME': it waits for …`.
    boost::asio::awaitable<void> await_dependencies(const char* verb, util::deadline limit);

    // Sets the state, logs and publishes it, and rings changes(). `reason`: for people, or empty.
    void enter(unit_state state, pid_t pid, std::string_view reason = {});
    // The state in which a daemon before this one has left it, and since when.
    void restore_state(unit_state state, std::chrono::system_clock::time_point since) {
        state_ = state;
        since_ = since;
    }
    std::chrono::system_clock::time_point since() const { return since_; }

    // Of the `watch` that it begins now.
    kept_watch keep_watch() {
        return {context_->options.keeper, spec_->name, std::exchange(earlier_watch_, {})};
    }

    // What status() and stop() say: that it was killed until the next process starts, and which processes are
    // left until they have ended.
    void set_stop_report(stop_report report);
    // Lines of its log are shown where the daemon shows those of all units.
    void show_lines_of(unit_log& log) const;
    void clear_kill_report() { stop_report_.killed.clear(); }
    // Throws failure(unit_failed) if a stop left processes.
    void throw_if_left(const char* verb) const;

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every other unit
    std::shared_ptr<const unit_spec> spec_;        // a process keeps the one that it was started with

private:
    unit_state state_;
    std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
    util::notifier changes_;
    lifecycle::held_entry earlier_watch_;  // of the daemon before this one; none, if its key is empty
    stop_report stop_report_;
};

}  // namespace hob::unit
