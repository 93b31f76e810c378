#pragma once
// One process of a unit, from fork to its last leftover, with its record in the database. How it is asked to
// end, and what of it is ended with it, its spec says.

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
#include "util/deadline.hpp"

namespace hob::unit {

struct process_options {
    std::shared_ptr<const unit_spec> spec;  // its name, cwd, stop and kill
    std::string called;                     // in messages, instead of the spec's name
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // all of it, K=V
    std::optional<std::string> cwd;        // instead of the spec's
    int input = -1;                        // as in child_options
    int output = -1;
    int error = -1;
    bool terminal = false;  // likewise
    unsigned umask = limits::unit_umask;
};

class unit_process {
public:
    // The process runs and is recorded when this returns. Throws failure(unit_failed).
    unit_process(std::shared_ptr<unit_context> context, const process_options& options);
    ~unit_process();
    unit_process(const unit_process&) = delete;
    unit_process& operator=(const unit_process&) = delete;

    const unit_spec& spec() const { return *spec_; }
    pid_t pid() const { return child_.pid(); }
    std::uint64_t start_time() const { return child_.start_time(); }
    const std::string& cgroup() const { return cgroup_.path(); }      // empty: it has none
    std::optional<exit_state> poll() const { return child_.poll(); }  // nullopt: it still runs
    bool has(pid_t pid) const;                                        // it, or one of those that it started

    // False: it was asked before. ended() returns, and end() is then to be called.
    bool request_stop();
    bool stop_asked() const { return stop_asked_; }
    // SIGKILL to all that belongs to it, and end() does not wait for it to end by itself.
    void kill_now();

    // Until the process has ended; nullopt: request_stop() was called.
    boost::asio::awaitable<std::optional<exit_state>> ended();
    // As ended(), but whether or not a stop was asked for.
    boost::asio::awaitable<void> gone();
    bool hurried() const { return hurried_; }
    // The stop signal, the stop timeout (or what is left of it), SIGKILL. Returns with the process ended.
    boost::asio::awaitable<exit_state> end(std::optional<util::deadline> rest = std::nullopt);
    // After the process has ended: SIGKILL to what it left behind, as `kill` says; then it is reaped and its
    // record forgotten. What could not be ended.
    boost::asio::awaitable<std::vector<member>> clear_away();
    const std::optional<rusage>& used() const { return child_.used(); }  // after clear_away()

private:
    scope members() const;

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every unit
    const std::shared_ptr<const unit_spec> spec_;  // also the unit's, until it is reconfigured
    unit_cgroup cgroup_;
    child child_;
    bool stop_asked_ = false;
    bool hurried_ = false;
};

}  // namespace hob::unit
