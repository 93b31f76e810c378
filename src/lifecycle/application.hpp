#pragma once
// What a daemon does, as the daemon's machinery sees it: the program implements this interface. Everything
// here is called on the daemon's one thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/daemonize.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/keeper_link.hpp"
#include "lifecycle/settings.hpp"

namespace hob::lifecycle {

// What the daemon gives to its application. All of it stays valid for the application's life.
struct application_context {
    boost::asio::any_io_executor executor;
    const instance& where;
    caller_settings caller;  // environment and limits of who started the daemon
    // An event for every subscriber: its name, and the members to send with it, an object as raw JSON.
    std::function<void(std::string_view event, std::string_view members_raw)> publish;
    // What page_units() or needed() returns has changed.
    std::function<void()> changed;
    // Gets each line that a part of the application prints; may be empty.
    std::function<void(std::string_view part, std::string_view line)> show_line{};
    keeper_link* keeper = nullptr;   // nullptr: nothing outlives this daemon
    std::vector<held_entry> held{};  // by the keeper, from a daemon that died
};

// The configuration file on disk, compared with what runs.
enum class config_state { current, changed, broken };

// What a changed configuration does to what runs.
enum class config_change {
    replace,         // restarts it with its new definition: the user has asked for all of the file
    replace_agreed,  // the same, but only where the user has agreed to the new definition before
    keep,            // it goes on with its old definition until it is restarted
};
std::string_view name_of(config_state state);
std::optional<config_state> config_state_named(std::string_view name);

// What the status page shows of the application.
struct page_units {
    std::uint32_t total = 0;
    std::uint32_t up = 0;
    std::uint32_t failed = 0;
    std::string json;  // an array
};

class application {
public:
    application() = default;
    application(const application&) = delete;
    application& operator=(const application&) = delete;
    virtual ~application() = default;

    // Reads the configuration file; daemon_config() and log_config() then return its values. Throws
    // failure(config) and changes nothing.
    virtual void load_config() = 0;
    virtual const daemon_settings& daemon_config() const = 0;
    virtual const log_settings& log_config() const = 0;

    // Once, after the first load_config(): opens what is durable, ends what a crashed predecessor left
    // running and puts the configuration into effect. Starts nothing. Throws failure.
    virtual void open() = 0;
    // After each later load_config(): puts the configuration into effect. Returns the difference as raw JSON.
    virtual std::string apply_config(config_change change) = 0;
    // The configuration file, and what it refers to, is the one in effect. Throws failure(config).
    virtual bool config_is_applied() const = 0;
    // What load_config() and apply_config() would do. Throws failure(config). Changes nothing.
    virtual std::string compare_config() const = 0;

    // Starts what is to start by itself. Called when the daemon is ready, and after each apply_config().
    virtual void begin() = 0;
    // Nothing starts by itself any more; returns once no work is in progress. Cancellation ends the wait.
    virtual boost::asio::awaitable<void> drain() = 0;
    // Stops everything, each part within its own limits; returns once nothing runs. May be called again.
    virtual boost::asio::awaitable<void> stop() = 0;
    // What is to be said of the parts that stop() has ended, an array as raw JSON, as status_json() has them;
    // empty: nothing.
    virtual std::string ended_badly_json() const = 0;
    // Ends everything at once and returns without waiting; stop() then waits for it.
    virtual void kill() = 0;
    // What runs would end with this daemon from now on, and has partly ended.
    virtual void keeper_lost() = 0;
    // The user ended this daemon for good: the next one must not resume what this one was running.
    virtual void forget_running() = 0;

    // Another program is about to be executed in this process. Puts into the keeper what units go on with,
    // and ends those that cannot. Calls of workers that are in flight may end first; those that are left
    // after `limit` fail.
    virtual boost::asio::awaitable<void> hand_over(std::chrono::milliseconds limit) = 0;
    // For that program to check beforehand, on its standard input; empty: there is nothing.
    virtual util::unique_fd successor_input() const = 0;

    virtual bool busy() const = 0;  // a replacement of the daemon would interrupt somebody's work
    virtual bool anything_running() const = 0;
    virtual bool needed() const = 0;  // something runs, or waits to start by itself: the daemon is not idle

    // What `status` lists, an array as raw JSON: these units in this order, all if `names` is empty. Throws
    // failure(unit_unknown).
    virtual std::string status_json(const std::vector<std::string>& names) const = 0;
    // Further members of the status object, as a raw JSON object; empty: none.
    virtual std::string status_members() const { return {}; }
    virtual lifecycle::page_units page_units() const = 0;

    virtual std::string config_path() const = 0;  // of the file that was read; empty: there is none
    virtual lifecycle::config_state config_state() const = 0;
    // The same, told for each client that connects: files that look as when they were read are not read
    // again.
    virtual lifecycle::config_state config_state_at_a_glance() = 0;
    virtual std::string degraded() const = 0;  // why its state is not durable; empty: it is
};

}  // namespace hob::lifecycle
