#pragma once
// A worker: a process that answers calls. Started by the first, kept warm, stopped when nobody called for its
// idle_timeout, started again by the next call after a death. One coroutine lives each life of the process
// from start to last leftover; the phase has one writer.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "unit/child.hpp"
#include "unit/process_io.hpp"
#include "unit/registry.hpp"
#include "unit/unit_log.hpp"
#include "unit/unit_status.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// What all units share; the registry owns it and outlives every coroutine of theirs.
struct unit_context {
    registry_options options;
    bool closing = false;  // stop_all(): no new starts
};

class worker : public std::enable_shared_from_this<worker> {
public:
    enum class phase { cold, starting, warm, stopping, failed };

    // shared: the registry, and each coroutine of a call or a life while it runs.
    static std::shared_ptr<worker> make(std::shared_ptr<unit_context> context, unit_spec spec);
    ~worker();

    const unit_spec& spec() const { return *spec_; }
    unit_status status() const;
    bool running() const { return life_ != nullptr; }
    std::size_t calls() const { return calls_; }

    // See registry. The strings are the coroutine's own.
    boost::asio::awaitable<std::string> call(std::string method, std::string params_raw,
                                             std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<void> start(std::optional<std::vector<std::string>> caller_environment);
    boost::asio::awaitable<void> stop(bool hold);
    boost::asio::awaitable<void> restart(std::optional<std::vector<std::string>> caller_environment);

    void request_stop(const char* why);  // in the background; waiting callers get failure(cancelled)
    void kill_now();                     // SIGKILL, also to what is being stopped
    void reconfigure(unit_spec spec);    // for the next start; a running process is stopped
    void set_log_limits(std::uint64_t max_size, int max_files) { log_.set_limits(max_size, max_files); }

private:
    struct life;
    worker(std::shared_ptr<unit_context> context, unit_spec spec);

    void set_phase(phase to);
    boost::asio::awaitable<void> wait_until_warm(const char* verb, util::deadline limit);
    void check_usable(const char* verb) const;
    void start_process();
    std::shared_ptr<life> make_life();
    void attach_pipes(const std::shared_ptr<life>& now, child_pipes pipes);

    boost::asio::awaitable<void> live(std::shared_ptr<life> now);
    boost::asio::awaitable<exit_state> end_gently(std::shared_ptr<life> now);
    boost::asio::awaitable<void> finish(std::shared_ptr<life> now, exit_state exit);
    boost::asio::awaitable<void> watch_idle(std::shared_ptr<life> now);
    boost::asio::awaitable<void> watch_closed_input(std::shared_ptr<life> now);

    void output(life& now, std::string_view bytes);
    void message(life& now, std::string_view text);
    void oversized(life& now);
    failure death(const exit_state& exit) const;

    const std::shared_ptr<unit_context> context_;  // also held by the registry and every other unit
    std::shared_ptr<const unit_spec> spec_;        // a life keeps the one that it was started with
    unit_log log_;
    phase phase_ = phase::cold;
    std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
    std::optional<std::vector<std::string>> caller_environment_;
    std::shared_ptr<life> life_;  // also held by the coroutines that live it
    util::event settled_;         // set while no end is being waited for
    std::optional<exit_state> last_exit_;
    bool held_ = false;
    bool died_ = false;  // the last end was nobody's wish
    int restarts_ = 0;
    std::size_t calls_ = 0;
    std::uint64_t last_id_ = 0;
};

}  // namespace hob::unit
