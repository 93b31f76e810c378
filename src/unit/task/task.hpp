#pragma once
// A task. One coroutine executes its queue, so that its runs never overlap; triggers and clients only add to
// the queue.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/process/unit_log.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/task/active_run.hpp"
#include "unit/task/schedule.hpp"
#include "unit/watch/change_loop.hpp"
#include "util/timer.hpp"

namespace hob::unit {

class file_trigger;

class task final : public managed_unit {
public:
    // shared: the registry, and its own coroutines while they run. `at_start`: the daemon is starting, so
    // `on_start` applies.
    static std::shared_ptr<task> make(std::shared_ptr<unit_context> context, unit_spec spec, bool at_start);
    ~task() override;

    unit_status status() const override;
    bool failing() const override;
    bool running() const override { return working_; }
    std::size_t in_flight() const override { return 0; }  // who waits for a run has a request in flight
    bool ready() const override { return !working_; }
    bool awaits_trigger() const override;
    bool failed() const override { return false; }
    bool coming_up() const override { return working_; }  // its runs end
    bool idle() const override { return !working_; }
    void begin() override;
    void request_start(std::optional<environment>) override {}  // ready() comes by itself
    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void retired() override;
    void time_zone_changed();  // slots that lie in the past in the new zone are not made up for

    // Queues a run. Throws failure(unit_failed) where `overlap` forbids it, failure(cancelled) while the
    // daemon shuts down.
    std::shared_ptr<active_run> submit(run_parameters parameters);

    // Goes on with a run of a daemon before this one: one that has begun, or one that was queued.
    void adopt_run(const run_order& order, lifecycle::held_entry held);
    void adopt_queued(const run_order& order, const std::string& key);

    boost::asio::awaitable<void> start(std::optional<environment> caller) override;  // only ends a hold
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;
    boost::asio::awaitable<void> run_for(std::string dependent) override;
    void request_stop(const char* why) override;
    void kill_now() override;
    void reconfigure(unit_spec spec, running_process running) override;  // a run in progress keeps its spec
    bool definition_changed() const override;
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(log_limits_of(spec_->keep, max_size, max_files));
    }

private:
    task(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<task> self() { return std::static_pointer_cast<task>(shared_from_this()); }
    const task_spec& detail() const { return std::get<task_spec>(spec_->detail); }
    bool may_trigger() const;

    void update_state();
    void check_overlap(const run_parameters& parameters) const;  // throws as submit()
    boost::asio::awaitable<void> process_queue();
    boost::asio::awaitable<void> execute(std::shared_ptr<active_run> run);
    void enqueue(std::shared_ptr<active_run> run);
    void take_slot(const std::optional<schedule_record>& slot);
    void after_run(const active_run& run);
    void report_failure(const active_run& run);
    boost::asio::awaitable<void> run_dependencies(std::shared_ptr<active_run> run);
    boost::asio::awaitable<void> run_after_delay(std::shared_ptr<active_run> retry, milliseconds delay);

    // Triggers: triggers.cpp.
    void arm();
    void disarm();
    void check_schedule();
    void trigger(run_parameters parameters);
    void trigger(std::shared_ptr<active_run> run);
    void skip(const run_parameters& parameters, const std::string& why);
    void on_files_changed(std::vector<std::string> paths, const std::string& note);
    void hold_loop(const std::string& path);
    void add_changed_paths(run_parameters& parameters, const std::vector<std::string>& paths) const;

    unit_log log_;
    std::optional<environment> caller_environment_;  // of the last `hob start`
    std::deque<std::shared_ptr<active_run>> queue_;  // also held by who waits for them
    std::shared_ptr<active_run> current_;
    bool working_ = false;
    bool stopped_by_user_ = false;
    bool retired_ = false;
    bool began_ = false;      // begin() was called: triggers apply
    bool start_due_ = false;  // the run of on_start is still to come
    std::optional<exit_state> last_exit_;
    std::optional<run_record> last_run_;
    util::timer retry_timer_;
    bool retrying_ = false;
    std::optional<wall_time> next_at_;
    std::shared_ptr<file_trigger> file_trigger_;                           // also held by its own coroutine
    std::optional<std::chrono::steady_clock::time_point> deferred_since_;  // the first change during a run
    change_loop change_loop_;
    std::string hold_reason_;
};

// The runs of plain commands, any number at once. It is not listed among the units.
class command_runner final : public managed_unit {
public:
    static std::shared_ptr<command_runner> make(std::shared_ptr<unit_context> context);

    bool running() const override { return !runs_.empty(); }
    std::size_t in_flight() const override { return 0; }
    bool ready() const override { return true; }
    bool failed() const override { return false; }
    bool coming_up() const override { return true; }
    void request_start(std::optional<environment>) override {}
    void record_desired_state(bool, const std::optional<environment>&) override {}

    void share_environment(const variable_list& shared);  // [env]

    // Throws failure(cancelled) while the daemon shuts down.
    std::shared_ptr<active_run> submit(std::vector<std::string> command, run_parameters parameters);
    // Goes on with a run of a daemon before this one.
    void adopt_run(const run_order& order, lifecycle::held_entry held);

    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;
    void request_stop(const char* why) override;
    void kill_now() override;
    void reconfigure(unit_spec, running_process) override {}
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    explicit command_runner(std::shared_ptr<unit_context> context);
    std::shared_ptr<const unit_spec> spec_of(std::vector<std::string> command, std::string text) const;
    void take_up(std::shared_ptr<active_run> run);
    boost::asio::awaitable<void> execute(std::shared_ptr<active_run> run);

    unit_log log_;
    std::vector<std::shared_ptr<active_run>> runs_;  // also held by who waits for them
};

}  // namespace hob::unit
