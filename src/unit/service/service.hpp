#pragma once
// A service: a process that stays up. One coroutine, supervise(), keeps it up for as long as that is desired:
// it waits for the units in `after`, starts the process, awaits its readiness and its end, and starts it
// again as `restart` and `backoff` say. All other code only records what is desired and rings `request_`; the
// state has no other writer.

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "unit/ports/tcp_connect.hpp"
#include "unit/process/child.hpp"
#include "unit/process/notify_socket.hpp"
#include "unit/process/scope.hpp"
#include "unit/process/unit_log.hpp"
#include "unit/service/life_recorder.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/watch/change_loop.hpp"
#include "util/async.hpp"

namespace hob::unit {

struct child_pipes;
class output_spool;
struct readiness_target;
struct service_note;
class file_trigger;

class service final : public managed_unit {
public:
    // shared: the registry, and the coroutine that supervises it.
    static std::shared_ptr<service> make(std::shared_ptr<unit_context> context, unit_spec spec);
    ~service() override;

    unit_status status() const override;
    bool failing() const override;
    bool running() const override { return supervised(); }
    bool ready() const override { return state() == unit_state::ready; }
    bool failed() const override {
        return (state() == unit_state::failed && !supervised()) || state() == unit_state::backoff;
    }
    bool coming_up() const override { return desired_up(); }
    std::size_t in_flight() const override { return 0; }
    bool idle() const override { return !supervised(); }
    std::shared_ptr<service_terminal> terminal() override;
    std::uint64_t ends() const override { return ends_; }
    std::optional<exit_state> last_exit() const override { return last_exit_; }

    // Returns once it is ready. Throws failure(unit_failed) when this start fails, even if it will be tried
    // again.
    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;

    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void begin() override;
    void request_start(std::optional<environment> caller) override;
    void request_stop(const char* why) override;
    void request_new_process(const char* why) override;
    void kill_now() override;
    void signal(int number, bool whole) override;
    void reconfigure(unit_spec spec, running_process running) override;
    bool definition_changed() const override { return pending_spec_.has_value(); }
    void adopt(lifecycle::held_entry held) override;
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(log_limits_of(spec_->keep, max_size, max_files));
    }

private:
    struct service_process;

    enum class supervision : std::uint8_t {
        none,    // supervise() does not run
        up,      // supervise() keeps the service up
        ending,  // supervise() ends with the process
    };

    struct process_end {
        bool requested = false;  // by a stop, a restart or a reload
        bool failed = false;
        std::string reason;  // "exited with status 3", "was not ready within 20s: …"
    };

    service(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<service> self() { return std::static_pointer_cast<service>(shared_from_this()); }

    bool supervised() const { return supervision_ != supervision::none; }
    bool desired_up() const { return supervision_ == supervision::up; }
    void add_readiness(unit_status& status) const;
    void set_state(unit_state to);
    void set_detail(std::string detail);  // the reason for a state; wakes those who wait for changes
    void set_desired_up(std::optional<environment> caller, run_trigger trigger);
    void reset_backoff();
    bool apply_pending_spec();  // false: there is none
    void throw_if_closing(const char* verb) const;
    bool request_process_end(const char* why);  // false: there is no process, or it is already ending
    boost::asio::awaitable<void> await_ready_or_failed(const char* verb);
    boost::asio::awaitable<void> await_stopped();
    failure failed_start(const char* verb) const;

    boost::asio::awaitable<void> supervise();
    boost::asio::awaitable<bool> wait_for_dependencies();  // false: one will not be ready: it has failed
    void fail_before_launch(std::string reason, std::string culprit);
    void start_dependencies_once();
    boost::asio::awaitable<void> await_not_desired();
    boost::asio::awaitable<bool> run_due_tasks();  // false: one failed, and the service with it
    boost::asio::awaitable<process_end> run_process();
    // From the launch to the end.
    boost::asio::awaitable<process_end> keep_process(std::shared_ptr<service_process> current);
    std::shared_ptr<service_process> launch();
    void end_output();  // of this life: writes unfinished lines to the log
    child_pipes make_pipes();
    process_end launch_failed(const failure& why);
    void capture_output(const std::shared_ptr<service_process>& launched, child_pipes pipes);
    void look_for_readiness(service_process& current, std::string_view stream, std::string_view bytes);
    notify_socket::handlers notify_handlers(const std::shared_ptr<service_process>& of);
    void open_notify_socket(const std::shared_ptr<service_process>& launching);
    void became_ready(service_process& current);
    boost::asio::awaitable<void> await_launch(std::shared_ptr<service_process> current);
    boost::asio::awaitable<bool> await_readiness(std::shared_ptr<service_process> current);
    boost::asio::awaitable<process_end> finish(std::shared_ptr<service_process> current);
    boost::asio::awaitable<void> note_background_process(service_process& current);
    process_end judge(const service_process& current, const exit_state& exit) const;
    void note_taken_port(const service_process& current, std::string& reason);
    boost::asio::awaitable<void> enforce_watchdog(std::shared_ptr<service_process> current);
    static readiness_target target_of(const std::shared_ptr<service_process>& current,
                                      const ready_spec& wanted, attempt_failure& not_yet);
    // Returns when it has failed, and has been asked to end.
    boost::asio::awaitable<void> check_health(std::shared_ptr<service_process> current);
    void set_health_fault(service_process& current, std::string fault);
    bool should_restart(process_end& last);
    std::string times_in_a_row() const;
    void report_crash_loop(const process_end& last);
    void call_on_failure(const std::string& reason);
    boost::asio::awaitable<void> await_end_of_ready(std::shared_ptr<service_process> current);
    boost::asio::awaitable<void> back_off();
    void give_up(const process_end& last);

    // What outlives the daemon: keeping.cpp.
    std::string held_key() const;
    lifecycle::keeper_link* keeper() const;  // nullptr: nothing outlives this daemon
    held_process held_by_keeper(const child_pipes& pipes, notify_socket* notify) const;
    void remember() const;
    void remember(const service_process* current) const;  // after a change of what service_note has
    void describe_process(const service_process& current, service_note& note) const;
    void drop_output() const;
    // Of its end, in its log; once, though a daemon was killed after it.
    void tell_of_end(const service_process& current, const std::string& message);
    void adopt_process(const service_note& note, lifecycle::held_entry& held);
    void adopt_notify_socket(const std::shared_ptr<service_process>& adopted, util::unique_fd socket,
                             const std::string& address);
    void go_on_with_output(service_process& adopted, const output_spool& spool);
    boost::asio::awaitable<process_end> resume_process();

    // Restart on change: restart_on_change.cpp.
    bool obeys_watch() const;
    void update_watch();  // after a change of what obeys_watch() returns
    void end_watch();
    void release_watch();
    void on_files_changed(const std::vector<std::string>& paths, const std::string& note);
    void hold_watch(const std::string& path);

    unit_log log_;
    life_recorder lives_;
    std::optional<unit_spec> pending_spec_;  // replaces spec_ at the next start or restart by name
    std::string detail_;
    std::string stop_reason_;  // why hob ends its process, if it does
    std::optional<environment> caller_environment_;
    supervision supervision_ = supervision::none;
    bool restart_requested_ = false;  // the current process is to be replaced: not counted as a restart
    bool start_requested_ = false;    // while the current process was ending by itself: it is to be replaced
    bool dependencies_started_ = false;           // since it was last asked for
    bool dependencies_met_ = false;               // likewise
    bool tasks_due_ = false;                      // tasks in `after` are to run before the next launch
    std::string culprit_;                         // the unit in `after` that kept it from starting
    bool stopped_by_user_ = false;                // until it is started by name; survives the daemon
    std::shared_ptr<service_terminal> terminal_;  // also held by those who are attached; may be nullptr
    std::shared_ptr<service_process> process_;    // also held by the coroutines that await or watch it
    mutable bool process_is_held_ = false;        // the keeper has that process, or the last one
    util::notifier request_;                      // another state is desired, or the configuration changed
    std::optional<exit_state> last_exit_;
    std::optional<port_user> port_taken_;  // what made its last start fail
    std::uint64_t times_ready_ = 0;
    std::uint64_t ends_ = 0;
    std::uint64_t failures_ = 0;           // processes that failed, ever
    std::shared_ptr<file_trigger> watch_;  // also held by its own coroutine
    change_loop change_loop_;
    bool asked_to_stop_ = false;  // since it was last to be up: a change of its files does not start it
    std::string watch_held_;      // why changes do not restart it until it is started by name
    int restarts_ = 0;            // starts after an end that nobody requested
    int restarts_in_a_row_ = 0;   // of those, since it was last up for backoff.reset
    std::chrono::milliseconds backoff_{0};                    // the last pause
    std::optional<std::chrono::milliseconds> resumed_pause_;  // what is left of the last daemon's back-off
};

}  // namespace hob::unit
