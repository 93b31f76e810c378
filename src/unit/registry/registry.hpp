#pragma once
// All units of the daemon, by name. One thread: everything runs on the given executor.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/process/child.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "unit/spec/spec.hpp"
#include "unit/spec/unit_status.hpp"
#include "unit/supervise/process_definition.hpp"
#include "unit/supervise/registry_options.hpp"
#include "util/async.hpp"

namespace hob::unit {

// What apply() did: names in file order.
struct apply_result {
    std::vector<std::string> added, removed, changed, unchanged;
};

class active_run;
struct run_order;
class run_store;
struct run_parameters;
struct terminal_client;
class terminal_attachment;

class registry {
public:
    explicit registry(registry_options options);
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    // Applies a valid configuration. Units with an equal spec keep their processes. `replace`: changed and
    // removed units are stopped in the background, services start again, and the next call starts a changed
    // worker. A changed unit that may not start by itself is kept instead. `keep`: running processes go on
    // with their definition until the unit is restarted, and a removed unit stays until it has stopped and a
    // configuration is applied again.
    apply_result apply(const config& configuration, running_process running = running_process::replace);

    // The unit goes on with what the keeper holds of it. False: there is no such unit.
    bool adopt(const std::string& unit, lifecycle::held_entry held);
    void adopt_watch(const std::string& unit, lifecycle::held_entry held);
    // Goes on with runs, begun and queued, of a daemon before this one.
    void adopt_runs(std::vector<lifecycle::held_entry> held);

    // See lifecycle::application::hand_over().
    boost::asio::awaitable<void> hand_over(std::chrono::milliseconds limit);

    const port_list& ports() const;  // those of [ports], while a unit is up

    // What apply() would do.
    apply_result compare(const config& configuration) const;

    // Starts what starts by itself: services that were up before, and those with autostart; and lets tasks be
    // triggered. All of that only for units that the user has named, see consent(). Call it after each
    // apply().
    void begin();

    // The user has named these units. They, and all that they wait for, may start by themselves as they are
    // defined now, in later daemons too. Other units that this lets start by themselves begin. Returns the
    // units that the user had not named before and that will start by themselves, in file order. Does nothing
    // when there is no unit of one of the names.
    std::vector<std::string> consent(const std::vector<std::string>& names);
    // As consent() to every unit of a configuration that is about to be applied.
    std::vector<std::string> consent_to_all(const config& configuration);
    // The user has named all of these units and all that they wait for.
    bool is_consented(const std::vector<std::string>& names) const;
    // Variables of [env] that decide what `hob run -- CMD` executes, if [env] as it is now did not come with
    // a unit that the user has named.
    std::vector<std::string> unaccepted_variables() const;
    // The record of a consent to a path, made by an earlier version, counts for these definitions.
    void adopt_consent_to_path(const config& configuration);

    std::vector<unit_status> status() const;  // in file order
    std::optional<unit_status> status(const std::string& unit) const;
    struct unit_counts {
        std::size_t total = 0, up = 0, failed = 0;
    };
    unit_counts counts() const;  // of the same; cheap

    // The worker's result as raw JSON, byte for byte. `timeout`: instead of the unit's call_timeout. Throws
    // failure(unit_unknown, unit_failed, worker_error, worker_died, timeout, usage, cancelled). Cancelling
    // the coroutine cancels the request at the worker.
    boost::asio::awaitable<std::string> call(std::string unit, std::string method, std::string params_raw,
                                             std::optional<std::chrono::milliseconds> timeout);
    // With events in the request: an object with the result, the events and further members.
    boost::asio::awaitable<std::string> call(std::string unit, call_request request);
    // What a worker announced in its handshake, and what it lists. Throws as call().
    boost::asio::awaitable<std::string> capabilities(std::string unit,
                                                     std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<std::string> list(std::string unit,
                                             std::optional<std::chrono::milliseconds> timeout);

    // Shares the process of a worker with a client that speaks its protocol, see attachment, until the client
    // says goodbye. Returns the client's exit status. `began` gets the number that attachment_of() takes.
    // Throws as call(). Cancelling the coroutine detaches the client.
    boost::asio::awaitable<int> attach(std::string unit, attach_stream to,
                                       std::function<void(std::uint64_t number)> began);
    std::shared_ptr<attachment> attachment_of(std::uint64_t number) const;  // nullptr: it has ended

    bool is_worker(const std::string& unit) const;  // throws failure(unit_unknown)
    // Attaches a client to the terminal of a service, or to its open standard input, until the service has
    // ended for good. Returns its status. `began` gets the number that terminal_attachment_of() takes. Throws
    // failure(unit_unknown), failure(usage) if it has neither, failure(unit_failed) if it is not about to
    // run. Cancelling the coroutine detaches the client.
    boost::asio::awaitable<unit_status> attach_terminal(
        std::string unit, terminal_client client, std::function<void(std::uint64_t number, bool tty)> began);
    std::shared_ptr<terminal_attachment> terminal_attachment_of(
        std::uint64_t number) const;  // nullptr: ended

    // Returns once the unit is ready (a worker: warm). `caller_environment`: the base of its environment from
    // now on. Throws failure(unit_unknown, unit_failed).
    boost::asio::awaitable<void> start(std::string unit,
                                       std::optional<std::vector<std::string>> caller_environment);
    // Returns once no process of the unit is left; it stays stopped until start(). Succeeds when nothing
    // runs. Throws failure(unit_failed) with the processes that could not be ended.
    boost::asio::awaitable<void> stop(std::string unit);
    boost::asio::awaitable<void> restart(std::string unit,
                                         std::optional<std::vector<std::string>> caller_environment);

    // The same for several units, in parallel as far as `after` allows; stops in reverse order. All names are
    // checked first. A failure does not stop the others; the first one, in the given order, is thrown at the
    // end.
    boost::asio::awaitable<void> start_units(std::vector<std::string> units,
                                             std::optional<std::vector<std::string>> caller_environment);
    // Without `hold` they do not stay stopped: whatever starts them next does.
    boost::asio::awaitable<void> stop_units(std::vector<std::string> units, bool hold = true);
    boost::asio::awaitable<void> restart_units(std::vector<std::string> units,
                                               std::optional<std::vector<std::string>> caller_environment);

    // Throws failure(unit_unknown) unless there are units of all these names.
    void require_units(const char* verb, const std::vector<std::string>& units) const;

    // SIGKILL to all of these. Returns without waiting.
    void kill_units(const std::vector<std::string>& units);

    // These and all that they wait for, in file order.
    std::vector<std::string> with_dependencies(const std::vector<std::string>& units) const;
    bool is_running(const std::string& unit) const;  // see managed_unit::running()
    // Returns once none of these runs, or awaits a trigger if `triggers`, or when the daemon shuts down.
    boost::asio::awaitable<void> ended(std::vector<std::string> units, bool triggers);

    boost::asio::awaitable<void> drain_begins();  // returns when the daemon shuts down

    struct first_end {
        std::optional<exit_state> exit;  // nullopt: it could not be started
        std::string reason;              // then: why
    };
    std::uint64_t ends_of(const std::string& unit) const;  // see managed_unit::ends()
    // Returns when a process of the service has ended since ends_of() was `before`; nullopt: the daemon shuts
    // down. `tried`: nothing more will start it once that is set and it does not run.
    boost::asio::awaitable<std::optional<first_end>> next_end(std::string unit, std::uint64_t before,
                                                              util::manual_reset_event& tried);

    // See managed_unit::signal(). Throws also failure(unit_unknown).
    void signal(const std::string& unit, int number, bool whole);

    // Whether a request for these units may have to wait for others, so that refuse_deadlock() matters.
    bool may_wait(const std::vector<std::string>& units) const;
    // Throws failure(unit_failed) with the cycle, when one of the units waits for `caller`, the unit in which
    // the process runs that waits for them.
    void refuse_deadlock(const char* verb, const std::vector<std::string>& units,
                         const std::string& caller) const;

    // The services that are up, have failed, or are about to be restarted, in file order.
    std::vector<std::string> services_to_restart() const;
    // The services among `changed` that apply() restarts: they are to be up and run their new definition.
    // Call it right after apply().
    std::vector<std::string> restarting(const std::vector<std::string>& changed) const;
    // The environment with which the next daemon starts the services that are up. Durable soon after.
    void replace_kept_environments(const std::vector<std::string>& environment);

    enum class wait_condition { ready, stopped, idle };
    // Returns once the condition holds. Throws failure(unit_unknown), and failure(unit_failed) when it cannot
    // come to hold by itself.
    boost::asio::awaitable<void> wait(std::string unit, wait_condition condition);

    // Queues a run of a task, or starts one of a plain command. Throws failure(unit_unknown, unit_failed,
    // cancelled).
    std::shared_ptr<active_run> run_task(const std::string& unit, run_parameters parameters);
    std::shared_ptr<active_run> run_command(std::vector<std::string> command, run_parameters parameters);
    // The run that was begun for a request with this token; nullopt: it is not known.
    std::optional<std::int64_t> run_of(const std::string& token) const;
    std::shared_ptr<active_run> find_run(std::int64_t id) const;  // begun and not over; or nullptr
    // Returns once the life of a service has ended; at once when there is no such life.
    boost::asio::awaitable<void> wait_for_life(std::int64_t id);
    run_store& runs();

    // Disables all triggers and ends attachments; returns once no run is active. Cancellation ends the wait.
    boost::asio::awaitable<void> drain();

    // Stops every unit as its `stop` and `kill` say, a unit after those that name it in `after`. New calls
    // fail from here on.
    boost::asio::awaitable<void> stop_all();
    // Of the units that stop_all() has stopped: those whose end left something to say, see stop_report.
    std::vector<unit_status> ended_badly() const;
    // Sends SIGKILL to all units and returns without waiting. stop_all() still waits for the exits.
    void kill_all();

    bool anything_running() const;  // a process of a unit exists
    bool needed() const;            // anything_running(), or a unit has a trigger
    std::size_t calls_in_flight() const;
    bool busy() const;  // a call, a run or a command is in progress, or a service is up

private:
    class unit_map;
    bool adopt_run(const run_order& order, lifecycle::held_entry held);

    std::unique_ptr<unit_map> units_;
};

}  // namespace hob::unit
