#pragma once
// Every unit of the daemon, by name. One thread: all of it runs on the executor given.

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

#include "unit/protocol/protocol_session.hpp"
#include "unit/spec/spec.hpp"
#include "unit/spec/unit_status.hpp"
#include "unit/supervise/registry_options.hpp"

namespace hob::unit {

// What apply() did, by name, in file order.
struct apply_result {
    std::vector<std::string> added, removed, changed, unchanged;
};

class run_job;
class run_store;
struct run_order;

class registry {
public:
    explicit registry(registry_options options);
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    // The first time and at each reload. Units whose spec is equal keep their processes; changed and removed
    // ones are stopped in the background, and the next call of a changed worker starts it anew. Throws
    // nothing: `wanted` is valid.
    apply_result apply(const config& wanted);

    // What apply() would do.
    apply_result compare(const config& wanted) const;

    // Starts what starts by itself: services that are wanted from before, those with autostart. After the
    // first apply(), once this configuration is consented to, and after each further apply().
    void begin();

    std::vector<unit_status> status() const;  // in file order
    std::optional<unit_status> status(const std::string& unit) const;

    // The worker's result as raw JSON, byte for byte. `timeout`: instead of the unit's call_timeout. Throws
    // failure(unit_unknown, unit_failed, worker_error, worker_died, timeout, usage, cancelled). Cancelling
    // the coroutine cancels the request at the worker.
    boost::asio::awaitable<std::string> call(std::string unit, std::string method, std::string params_raw,
                                             std::optional<std::chrono::milliseconds> timeout);
    // A call that waits for events returns an object with the result, the events and more.
    boost::asio::awaitable<std::string> call(std::string unit, call_request request);
    // What the handshake of a worker said, and what it offers. Throws as call().
    boost::asio::awaitable<std::string> capabilities(std::string unit,
                                                     std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<std::string> list(std::string unit,
                                             std::optional<std::chrono::milliseconds> timeout);

    // Somebody who speaks the worker's protocol himself shares its process, see attachment, until he has said
    // goodbye: the exit status that he is to see. `began` is given the number that attachment_of() takes.
    // Throws as call(). Cancelling the coroutine ends it.
    boost::asio::awaitable<int> attach(std::string unit, attach_stream to,
                                       std::function<void(std::uint64_t number)> began);
    std::shared_ptr<attachment> attachment_of(std::uint64_t number) const;  // nullptr: it is over

    // Returns once it is ready (a worker: warm). `caller_environment`: the base of its environment from now
    // on. Throws failure(unit_unknown, unit_failed).
    boost::asio::awaitable<void> start(std::string unit,
                                       std::optional<std::vector<std::string>> caller_environment);
    // Returns once no process of it is left; it is held until start(). Nothing running is success. Throws
    // failure(unit_failed) naming what could not be ended.
    boost::asio::awaitable<void> stop(std::string unit);
    boost::asio::awaitable<void> restart(std::string unit,
                                         std::optional<std::vector<std::string>> caller_environment);

    // The same for several, side by side as far as `after` lets them; stops in reverse. Each is tried; then
    // the failure of the first that failed, in the order given, is thrown. Names are checked before anything
    // begins.
    boost::asio::awaitable<void> start_units(std::vector<std::string> units,
                                             std::optional<std::vector<std::string>> caller_environment);
    boost::asio::awaitable<void> stop_units(std::vector<std::string> units);
    boost::asio::awaitable<void> restart_units(std::vector<std::string> units,
                                               std::optional<std::vector<std::string>> caller_environment);

    enum class wanted_state { ready, stopped, idle };
    // Until it is so. Throws failure(unit_unknown), and failure(unit_failed) when it will not be so by
    // itself.
    boost::asio::awaitable<void> wait(std::string unit, wanted_state wanted);

    // A run of a task, or of a command that is none. Throws failure(unit_unknown, unit_failed, cancelled).
    std::shared_ptr<run_job> run_task(const std::string& unit, run_order order);
    std::shared_ptr<run_job> run_command(std::vector<std::string> command, run_order order);
    std::shared_ptr<run_job> job(std::int64_t run) const;  // that has begun and is not over; or nullptr
    run_store& runs();

    // Nothing begins by itself any more, and attachments end; returns once no run is on. Cancellation ends
    // the wait.
    boost::asio::awaitable<void> drain();

    // Each unit's stop signal to its group, its stop timeout, SIGKILL, then escapees as `kill` says; a unit
    // after those that name it in `after`. New calls fail from here on.
    boost::asio::awaitable<void> stop_all();
    // SIGKILL to everything at once; returns without waiting. stop_all() still waits for the exits.
    void kill_all();

    bool anything_running() const;  // a process of a unit exists
    bool needed() const;            // that, or a unit waits to begin something by itself
    std::size_t calls_in_flight() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace hob::unit
