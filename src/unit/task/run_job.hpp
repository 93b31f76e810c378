#pragma once
// One run, from the wish to its record: who asked for it and how, its process, its output, its end.

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
#include "util/async.hpp"

namespace hob::unit {

// Who follows a run while it runs. `queued` and `drained` as in ipc::session.
struct run_listener {
    std::function<void(std::int64_t run)> started;
    std::function<void(std::int64_t run, std::string_view stream, std::string_view bytes)> output;
    std::function<std::size_t()> queued;
    std::function<boost::asio::awaitable<void>()> drained;
};

struct run_order {
    run_trigger trigger = run_trigger::manual;
    std::string cause;
    std::vector<std::string> arguments;                          // appended to the command
    std::optional<std::vector<std::string>> caller;              // the base of its environment, K=V
    std::vector<std::pair<std::string, std::string>> variables;  // on top of all
    std::optional<std::string> cwd;
    bool input = false;                     // standard input is a pipe, fed by input()
    std::optional<terminal_size> terminal;  // a pseudo-terminal instead of pipes
    int attempt = 0;                        // retries before this one
    std::optional<run_listener> listener;
};

class run_job : public std::enable_shared_from_this<run_job> {
public:
    // shared: whoever waits for it, its unit while it is queued or runs, and its own coroutines.
    static std::shared_ptr<run_job> make(std::shared_ptr<unit_context> context,
                                         std::shared_ptr<const unit_spec> spec, unit_log& log,
                                         run_order order);
    ~run_job();

    const run_order& order() const { return order_; }
    const unit_spec& spec() const { return *spec_; }
    std::int64_t id() const { return record_.id; }  // 0: it has not begun
    pid_t pid() const { return process_ ? process_->pid() : 0; }
    const std::optional<exit_state>& last_exit() const { return exit_; }

    // Once, by its unit: to its end and record. Throws nothing: see wait(). `log` outlives it.
    boost::asio::awaitable<void> execute();
    // Instead of that: it will not be executed. The record says that it failed.
    boost::asio::awaitable<void> fail(std::exception_ptr why);

    // The record, once it is written. Throws what kept the run from starting.
    boost::asio::awaitable<run_record> wait();
    bool begun_at_all() const { return record_.id != 0; }
    bool over() const { return done_.is_set(); }
    // Until it has an id, or is over.
    boost::asio::awaitable<void> begun();
    const std::optional<run_record>& result() const { return result_; }

    // The stop signal to its group, in the background; before its start: it will not start. The first cause
    // counts. `how`: cancelled, or timeout.
    void cancel(const std::string& why, run_state how = run_state::cancelled);
    void kill_now();
    bool cancelled() const { return ended_by_.has_value(); }
    boost::asio::awaitable<void> until_cancelled() { return cancelled_.wait(); }

    void drop_listener();  // nobody follows any more; the run goes on
    void detach() { detached_ = true; }
    bool outlives_client() const { return detached_; }

    // See run_io.
    boost::asio::awaitable<bool> input(std::string bytes);
    void close_input();
    void resize(terminal_size size);

private:
    run_job(std::shared_ptr<unit_context> context, std::shared_ptr<const unit_spec> spec, unit_log& log,
            run_order order);
    bool is_command() const { return spec_->name == command_name; }
    void begin();
    void check_cancelled() const;  // throws failure(cancelled)
    boost::asio::awaitable<int> durable();
    void start_process();
    void refuse(std::exception_ptr why);
    std::exception_ptr did_not_start(const failure& why);
    std::vector<std::string> environment() const;
    run_io::handlers handlers();
    boost::asio::awaitable<void> room();
    boost::asio::awaitable<exit_state> until_end();
    boost::asio::awaitable<void> finish(exit_state exit);
    void write_end(run_state state);
    void failed_to_start(const failure& why);
    void publish(std::string_view to) const;

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every unit
    const std::shared_ptr<const unit_spec> spec_;  // also the unit's, until it is reconfigured
    unit_log& log_;
    run_order order_;
    run_record record_;
    std::unique_ptr<unit_process> process_;
    std::shared_ptr<run_io> io_;  // also held by its own coroutines
    std::optional<exit_state> exit_;
    std::optional<run_state> ended_by_;
    std::exception_ptr refused_;
    std::optional<run_record> result_;
    bool detached_ = false;
    bool hurried_ = false;
    util::notifier unheard_;  // the listener is gone
    util::manual_reset_event begun_;
    util::manual_reset_event cancelled_;
    util::manual_reset_event done_;
};

}  // namespace hob::unit
