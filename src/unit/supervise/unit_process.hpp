#pragma once
// One process of a unit, from its launch until everything it left behind has ended, with its record in the
// database. The spec's `stop` and `kill` say how it is ended and what is ended with it.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limits.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/process/child.hpp"
#include "unit/process/scope.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/supervise/stop_report.hpp"
#include "unit/supervise/unit_limits.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/resource_limits.hpp"

namespace hob::unit {

struct process_options {
    std::shared_ptr<const unit_spec> spec;  // its name, cwd, stop and kill
    std::string display_name;               // in messages, instead of the spec's name
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // all of it, K=V
    std::optional<std::string> cwd;        // instead of the spec's
    int input = -1;                        // as in child_options
    int output = -1;
    int error = -1;
    bool terminal = false;  // likewise
    unsigned umask = hob::limits::unit_umask;
    std::vector<util::resource_limit> limits{};
    held_process held{};  // by the keeper: it outlives the daemon
};

// A process that a daemon before this one has started, and that the keeper holds; or that was started by
// another program in this process, and is a child of it.
struct adopted_process {
    std::shared_ptr<const unit_spec> spec;
    pid_t pid = 0;
    std::uint64_t start_time = 0;     // 0: not known
    std::string key{};                // under which it is held; empty: it is a child
    std::string cgroup{};             // empty: none, or not known
    util::unique_fd gate{};           // of a process that may not run its program yet
    std::vector<std::string> argv{};  // of that
    bool terminal = false;
    std::vector<std::string> environment{};
    util::unique_fd output{};  // of its stop command; empty: it has none
};

class unit_process {
public:
    // The process exists and is recorded when this returns; launched() waits until it runs. Throws
    // failure(unit_failed).
    unit_process(std::shared_ptr<unit_context> context, const process_options& options);
    // Throws failure(unit_failed) for a child that has ended and is reaped.
    unit_process(std::shared_ptr<unit_context> context, adopted_process process);
    ~unit_process();
    unit_process(const unit_process&) = delete;
    unit_process& operator=(const unit_process&) = delete;

    const unit_spec& spec() const { return *spec_; }
    pid_t pid() const { return child_.pid(); }  // of the process that was started
    // Of the process whose end is the end of the unit's: the one that was started, or its successor.
    pid_t main_pid() const { return main().pid(); }
    // Another process of the unit takes over as its main one, as MAINPID= of sd_notify says. False: it is
    // none of the unit.
    bool set_main(pid_t pid);
    // A stop that goes on gets at least this much more time, as EXTEND_TIMEOUT_USEC= of sd_notify says.
    void extend_stop(std::chrono::milliseconds time);
    std::uint64_t start_time() const { return child_.start_time(); }
    const std::string& cgroup() const { return cgroup_.path(); }  // empty: it has none
    const unit_limits& limits() const { return limits_; }
    int stop_output() const { return command_output_.get(); }  // adopted_process::output; -1: it has none
    std::optional<exit_state> poll() const;  // nullopt: it still runs
    // The living processes among it and those that it started, whatever `kill` says.
    std::vector<member> tree() const;
    bool contains(pid_t pid) const;  // one of tree()

    // Until its program runs, or request_stop() was called. Throws failure(unit_failed) that names what is at
    // fault; then the process is over, and needs no clean_up().
    boost::asio::awaitable<void> launched();
    // What that waits for, see child::blocked_by().
    std::string blocked_by() { return child_.blocked_by(); }
    bool launching() { return child_.launching(); }
    bool launches() const { return launches_; }  // launched() is to be called

    // False: it was requested before. ended() and launched() return; the owner then calls end().
    bool request_stop();
    bool stop_requested() const { return stop_requested_; }
    // To the main process, or to each of tree(). False: none of them got it.
    bool signal(int number, bool whole);
    // SIGKILL to everything that belongs to it; end() then gives it no time to end by itself.
    void kill_now();

    // Until the process has ended; nullopt: request_stop() was called.
    boost::asio::awaitable<std::optional<exit_state>> ended();
    // As ended(), but goes on waiting when a stop is requested.
    boost::asio::awaitable<void> gone();
    bool kill_requested() const { return kill_requested_; }
    // The stop command or signal, the stop timeout (or `limit`, if that is earlier), SIGKILL. The command's
    // output goes where the error output of the process goes. Returns when the process has ended. If it ended
    // by itself, this is for the rest of the unit; call it before its output is no longer read. nullopt: it
    // could not be ended.
    boost::asio::awaitable<std::optional<exit_state>> end(std::optional<util::deadline> limit = std::nullopt);
    // After end(), or after the process has ended: ends what it left behind, as end() does if that was not
    // called; then reaps the process and removes its record.
    boost::asio::awaitable<stop_report> clean_up();
    const std::optional<rusage>& used() const { return child_.used(); }  // after clean_up()

private:
    const child& main() const { return successors_.empty() ? child_ : *successors_.back(); }
    std::unique_ptr<child> watch_main(pid_t pid) const;               // throws failure(unit_failed)
    boost::asio::awaitable<std::optional<exit_state>> main_exited();  // nullopt: interrupted
    exit_state with_reason(exit_state exit) const;
    scope members() const;
    void remember_members();
    void ask_to_end();
    boost::asio::awaitable<bool> run_stop_command();  // false: it failed
    boost::asio::awaitable<std::optional<exit_state>> kill();
    std::string stop_note() const;
    boost::asio::awaitable<void> hang_up();
    boost::asio::awaitable<std::optional<exit_state>> await_main();  // nullopt: it still runs
    boost::asio::awaitable<bool> await_rest(util::deadline limit);   // false: not within the limit

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every unit
    const std::shared_ptr<const unit_spec> spec_;  // also the unit's, until it is reconfigured
    const bool terminal_;
    const std::string held_key_;  // empty: the keeper does not hold it
    bool launches_;               // launched() has not returned
    unit_cgroup cgroup_;
    child child_;
    std::vector<std::unique_ptr<child>> successors_;  // as main process; the last one is it
    unit_limits limits_;
    util::deadline stop_limit_ = util::deadline::never();
    std::vector<std::string> environment_;  // of its stop command; empty: it has none
    util::unique_fd command_output_;        // likewise
    std::string command_fault_;             // why its stop command did not end it, for people
    util::manual_reset_event killed_;       // kill_now() was called
    bool stop_requested_ = false;
    bool kill_requested_ = false;
    bool stop_sent_ = false;         // end() was called
    bool asked_by_command_ = false;  // its stop command has ended with 0
    bool nothing_left_ = false;      // it found no process of the unit
    bool needed_kill_ = false;
    bool reaped_ = false;
    std::vector<member> seen_;  // before it was asked to end
};

}  // namespace hob::unit
