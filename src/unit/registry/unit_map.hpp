#pragma once
// The units of a registry by name, with what they share.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "unit/registry/registry.hpp"
#include "unit/store/consent_store.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "util/time_zone/time_zone_watch.hpp"

namespace hob::unit {

class command_runner;
class worker;

using unit_ptr = std::shared_ptr<managed_unit>;  // also held by the unit's own coroutines

class registry::unit_map {
public:
    explicit unit_map(registry_options options);
    ~unit_map();
    unit_map(const unit_map&) = delete;
    unit_map& operator=(const unit_map&) = delete;

    const unit_spec* find(const std::string& name) const;  // nullptr: not in the configuration
    // Both throw failure(unit_unknown), the second also failure(unit_failed) for another kind of unit.
    // `verb`: for messages.
    unit_ptr unit_named(const char* verb, const std::string& name) const;
    std::shared_ptr<worker> worker_named(const std::string& name, const char* verb = "call") const;

    void apply_unit(const unit_spec& spec, running_process running);
    void retire_missing(const config& configuration, running_process running);
    // What `keep` of the specs no longer allows is forgotten; `earlier`: the specs before these.
    void prune_history(const std::vector<unit_spec>& earlier);
    void watch_time_zone();  // while a task has a cron expression
    void drop_stopped();     // of the retired units
    // The records survive a crash of this process, and a crash of the machine once sync_desired_states() has
    // returned, which logs a failure.
    void record_desired_states(const char* verb, const std::vector<std::string>& names, bool up,
                               const std::optional<std::vector<std::string>>& caller);
    // The next daemon does not start them again.
    void clear_desired_states(const std::vector<std::string>& names) const;
    boost::asio::awaitable<void> sync_desired_states() const;
    std::vector<unit_ptr> running() const;
    void release_ports() const;  // if nothing runs

    // consent.cpp. The units of `configuration` that the user has named as they are defined there.
    void find_named(const config& configuration);
    void find_startable(const std::vector<unit_spec>& of);  // from `named`
    // It would start by itself, if the user had named it.
    bool is_held_back(const unit_spec& spec) const;
    unit_status status_of(const unit_spec& spec) const;
    // The units, and all that they wait for.
    std::set<std::string, std::less<>> with_dependencies(const std::vector<std::string>& names) const;

    const std::shared_ptr<unit_context> context;  // also held by every unit
    std::vector<unit_spec> specs;                 // in file order
    std::map<std::string, unit_ptr, std::less<>> by_name;
    std::vector<unit_ptr> retired;             // removed from the configuration; they may still be stopping
    std::shared_ptr<command_runner> commands;  // also held by its coroutines
    std::unique_ptr<util::time_zone_watch> time_zone;
    variable_list shared_env;  // [env]
    bool applied = false;      // a configuration was applied before
    consent_store consents;
    std::vector<unit_ptr> stopped_at_end;          // by registry::stop_all()
    std::set<std::string, std::less<>> named;      // units that the user has named as they are defined now
    std::set<std::string, std::less<>> startable;  // of those: all that they wait for are named as well

private:
    failure unknown(const char* verb, const std::string& name) const;
    unit_ptr make(const unit_spec& spec) const;
    unit_ptr revive(const unit_spec& spec);
};

}  // namespace hob::unit
