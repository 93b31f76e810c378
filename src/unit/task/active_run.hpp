#pragma once
// One run of a task or command, from its request to its record: its parameters, process, output and end.

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "unit/process/run_io.hpp"
#include "unit/process/unit_log.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/supervise/unit_process.hpp"
#include "unit/task/run_note.hpp"
#include "unit/task/run_output.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/resource_limits.hpp"

namespace hob::unit {

// The client that follows a run. `skipped`: bytes of output that it cannot get. `queued` and `drained`: as `backlog` and `drained` of ipc::session.
struct run_listener {
    std::function<void(std::int64_t run)> started;
    std::function<void(std::int64_t run, std::string_view stream, std::string_view bytes)> output;
    std::function<void(std::int64_t run, std::string_view stream, std::uint64_t bytes)> skipped{};
    std::function<std::size_t()> queued;
    std::function<boost::asio::awaitable<void>()> drained;
};

struct run_parameters {
    run_trigger trigger = run_trigger::manual;
    std::string cause;
    std::string dependent;               // the unit that waits for it; empty: none
    std::vector<std::string> arguments;  // appended to the command
    std::optional<std::vector<std::string>>
        caller;  // the base of its environment, K=V; nullopt: the daemon's
    std::vector<std::pair<std::string, std::string>> variables;  // override all others
    std::optional<std::string> cwd;
    bool input = false;                                 // standard input is a pipe, written by input()
    std::shared_ptr<util::unique_fd> input_descriptor;  // or this; shared by copies of the parameters
    std::optional<unsigned> umask;                      // nullopt: that of units
    std::vector<util::resource_limit> limits{};         // on top of those of units
    std::optional<terminal_size> terminal;              // a pseudo-terminal instead of pipes
    int attempt = 0;                                    // number of retries before this one
    std::int64_t retry_of = 0;                          // the run that failed before it; 0: none
    std::optional<schedule_record> slot{};              // of its task, once this run is accepted
    std::string token{};  // by which the client that asked for it finds it again; empty: none
    std::optional<run_listener> listener;
};

class active_run : public std::enable_shared_from_this<active_run> {
public:
    // shared: whoever waits for it, its unit while it is queued or running, and its own coroutines.
    static std::shared_ptr<active_run> make(std::shared_ptr<unit_context> context,
                                            std::shared_ptr<const unit_spec> spec, unit_log& log,
                                            run_parameters parameters);
    // A run that a daemon before this one has begun: it goes on, or if it has no process yet, it is started
    // by execute(); it may be over.
    static std::shared_ptr<active_run> adopt(std::shared_ptr<unit_context> context,
                                             std::shared_ptr<const unit_spec> spec, unit_log& log,
                                             const run_order& order, lifecycle::held_entry held);
    ~active_run();

    // Before execute(), of a run by a trigger: the keeper has it from now on, so that the next daemon executes
    // it. `due`: not before this time.
    void remember_queued(std::optional<std::chrono::system_clock::time_point> due = std::nullopt);
    // It was adopted as queued under this key.
    void set_queued_key(std::string key) { queued_key_ = std::move(key); }
    // It is over, and nothing follows from it any more.
    void forget() const;

    const run_parameters& parameters() const { return parameters_; }
    const unit_spec& spec() const { return *spec_; }
    std::int64_t id() const { return record_.id; }  // 0: not begun
    pid_t pid() const { return process_ ? process_->pid() : 0; }
    const std::optional<exit_state>& last_exit() const { return exit_; }
    const stop_report& stopped() const { return stopped_; }  // what its end left to say
    // What its launch waits for, see child::blocked_by().
    std::string blocked_by() const { return process_ ? process_->blocked_by() : std::string(); }
    void add_limits(unit_status& status) const {
        if (process_) process_->limits().add_to(status);
    }

    // Called once, by the unit: runs to the end and its record. Throws nothing, see wait(). `log` outlives
    // it.
    boost::asio::awaitable<void> execute();
    // Instead of execute(): records the run as failed.
    boost::asio::awaitable<void> fail(std::exception_ptr reason);

    // Returns the record once it is written. Throws what prevented the start.
    boost::asio::awaitable<run_record> wait();
    bool has_begun() const { return record_.id != 0; }
    bool over() const { return done_.is_set(); }
    // Returns once it has an id, or is over. Throws as wait().
    boost::asio::awaitable<void> begun();
    const std::optional<run_record>& result() const { return result_; }

    // Sends the stop signal to its group, in the background; a run that has not started will not start. Only
    // the first call sets the state, cancelled or timeout.
    void cancel(const std::string& reason, run_state state = run_state::cancelled);
    void kill_now();
    bool cancelled() const { return ended_by_.has_value(); }
    boost::asio::awaitable<void> until_cancelled() { return cancelled_.wait(); }

    // A client that comes back follows it, once its program runs. It gets the output from `from` on; returns
    // once it has all that there was. Throws as wait(), and failure(unit_failed) while another one follows it.
    boost::asio::awaitable<void> follow(run_listener listener, run_offsets from);
    void drop_listener();  // the run goes on
    void detach();
    bool outlives_client() const { return detached_; }

    // See run_io. input() returns false when the run takes no more input.
    boost::asio::awaitable<bool> input(std::string bytes);
    void close_input();
    void resize(terminal_size size);

private:
    active_run(std::shared_ptr<unit_context> context, std::shared_ptr<const unit_spec> spec, unit_log& log,
               run_parameters parameters);
    bool is_command() const { return spec_->name == command_name; }
    void begin();
    void add_record();
    boost::asio::awaitable<void> make_process();
    boost::asio::awaitable<bool> launch();
    void check_cancelled() const;               // throws failure(cancelled)
    boost::asio::awaitable<int> sync_record();  // errno, logged
    void start_process();
    void end_output();
    boost::asio::awaitable<void> await_launch();
    void set_start_failure(std::exception_ptr reason);
    void set_done();
    std::exception_ptr record_start_failure(const failure& why);  // what the callers get
    std::vector<std::string> environment();
    run_io::handlers handlers();
    boost::asio::awaitable<void> output_room();
    // For the listener: follow_run.cpp.
    void pass_on(std::string_view stream, std::string_view bytes);
    void find_read();
    run_offsets logged_bytes() const;
    void send_unfinished();
    boost::asio::awaitable<std::optional<exit_state>> until_end();
    boost::asio::awaitable<void> finish(std::optional<exit_state> exit);
    void record_exit();
    void note_capped_limits();
    void write_end(run_state state);
    void failed_to_start(const failure& why);
    void publish(run_state state) const;

    // What the keeper has of it: held_run.cpp.
    std::string held_key() const;
    run_order order() const;
    held_process held_by_keeper(const run_ends& ends) const;
    void remember() const;
    void drop_output() const;
    void tell_of_end(const std::string& message);  // in the log; once, though a daemon was killed after it
    void resume(lifecycle::held_entry& held);
    void resume_over();
    boost::asio::awaitable<void> await_client();

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every unit
    const std::shared_ptr<const unit_spec> spec_;  // also the unit's, until it is reconfigured
    unit_log& log_;
    run_parameters parameters_;
    run_record record_;
    std::vector<std::string> environment_;  // without what only this run has; empty: not made yet
    run_offsets read_{};              // of its output, since it began
    bool knows_read_ = true;          // else: since it was adopted
    run_offsets sent_{};              // likewise, to the listener
    bool catches_up_ = false;         // the listener gets output from the log
    bool adopted_ = false;  // a daemon before this one has begun it
    std::unique_ptr<unit_process> process_;
    std::shared_ptr<run_io> io_;  // also held by its own coroutines
    std::optional<exit_state> exit_;
    stop_report stopped_;
    std::optional<run_state> ended_by_;
    std::exception_ptr start_failure_;
    std::optional<run_record> result_;
    util::deadline limit_ = util::deadline::never();  // of the task's `timeout`, from the launch on
    std::string queued_key_;      // under which the keeper has it until it begins; empty: it has not
    util::unique_fd order_text_;  // held with it; empty: not made yet
    bool detached_ = false;
    bool client_is_back_ = false;  // of a run that a daemon before this one has begun
    bool killed_ = false;
    util::notifier listener_dropped_;
    util::manual_reset_event begun_;
    util::manual_reset_event cancelled_;
    util::manual_reset_event done_;
};

}  // namespace hob::unit
