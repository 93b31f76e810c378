#pragma once
// A task: runs and ends. One coroutine works off its queue, so that its runs never overlap; triggers and
// people only put orders there.

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/process/unit_log.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/task/run_job.hpp"
#include "unit/task/schedule.hpp"
#include "util/timer.hpp"

namespace hob::unit {

class task_watch;

class task final : public managed_unit {
public:
    // shared: the registry, and its own coroutines while they run. `at_start`: the daemon is starting, so
    // `on_start` counts.
    static std::shared_ptr<task> make(std::shared_ptr<unit_context> context, unit_spec spec, bool at_start);
    ~task() override;

    unit_status status() const override;
    bool running() const override { return working_; }
    std::size_t in_flight() const override {
        return 0;
    }  // those who wait have requests of their own in flight
    bool ready() const override { return !working_; }
    bool awaits_trigger() const override;
    bool failed() const override { return false; }
    bool coming_up() const override { return working_; }  // its runs end
    bool idle() const override { return !working_; }
    void begin() override;
    void request_start(std::optional<environment>) override {}  // what it can be waited for comes by itself
    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void retired() override;

    // Puts a run in the queue. Throws failure(unit_failed) where `overlap` forbids it, failure(cancelled)
    // while the daemon shuts down.
    std::shared_ptr<run_job> submit(run_order order);

    boost::asio::awaitable<void> start(std::optional<environment> caller) override;  // runs nothing: lets go
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;
    void request_stop(const char* why) override;
    void kill_now() override;
    void reconfigure(unit_spec spec) override;  // a run goes on as it began
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    task(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<task> self() { return std::static_pointer_cast<task>(shared_from_this()); }
    const task_spec& detail() const { return std::get<task_spec>(spec_->detail); }
    bool may_trigger() const;

    void show_state();
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> handle_call(std::shared_ptr<run_job> job);
    void after_run(const run_job& job);
    void tell_failure(const run_job& job);
    boost::asio::awaitable<void> retry_later(run_order order);

    // Triggers: task_triggers.cpp.
    void arm();
    void disarm();
    void look_at_clock();
    void trigger(run_order order);
    void skip(const run_order& order, const std::string& why);
    void watch_changed(std::vector<std::string> paths, const std::string& note);

    unit_log log_;
    std::optional<environment> caller_environment_;  // of the last `hob start`
    std::deque<std::shared_ptr<run_job>> queue_;     // shared with who waits for them
    std::shared_ptr<run_job> current_;
    bool working_ = false;
    bool stopped_by_user_ = false;
    bool retired_ = false;
    bool began_ = false;      // begin(): triggers count
    bool start_due_ = false;  // on_start has not happened yet
    std::optional<exit_state> last_exit_;
    std::optional<run_record> last_run_;
    util::timer retry_timer_;
    bool retrying_ = false;
    std::optional<wall_time> next_at_;
    std::shared_ptr<task_watch> watch_;  // also held by its own coroutine
};

// The runs of commands that are no tasks: any number at once, each on its own. Not listed among the units.
class command_runner final : public managed_unit {
public:
    static std::shared_ptr<command_runner> make(std::shared_ptr<unit_context> context);

    bool running() const override { return !jobs_.empty(); }
    std::size_t in_flight() const override { return 0; }
    bool ready() const override { return true; }
    bool failed() const override { return false; }
    bool coming_up() const override { return true; }
    void request_start(std::optional<environment>) override {}
    void record_desired_state(bool, const std::optional<environment>&) override {}

    // Throws failure(cancelled) while the daemon shuts down.
    std::shared_ptr<run_job> submit(std::vector<std::string> command, run_order order);

    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;
    void request_stop(const char* why) override;
    void kill_now() override;
    void reconfigure(unit_spec) override {}
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    explicit command_runner(std::shared_ptr<unit_context> context);
    boost::asio::awaitable<void> handle_call(std::shared_ptr<run_job> job);

    unit_log log_;
    std::vector<std::shared_ptr<run_job>> jobs_;  // shared with who waits for them
};

}  // namespace hob::unit
