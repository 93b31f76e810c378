#pragma once
// What the parts of registry share: the units by name.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "unit/registry/registry.hpp"
#include "unit/supervise/managed_unit.hpp"

namespace hob::unit {

class command_runner;
class worker;

using unit_ptr = std::shared_ptr<managed_unit>;  // also held by the unit's own coroutines

class registry::impl {
public:
    explicit impl(registry_options options);
    ~impl();
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    const unit_spec* find(const std::string& name) const;  // nullptr: the configuration has none
    // Both throw failure(unit_unknown), the second failure(unit_failed) for what is no worker. `verb`: for
    // messages.
    unit_ptr unit_named(const char* verb, const std::string& name) const;
    std::shared_ptr<worker> worker_named(const std::string& name, const char* verb = "call") const;

    void apply_unit(const unit_spec& spec);
    void drop_gone();
    // Survives a crash of this process; one of the machine when the second has returned, which logs a
    // failure.
    void record_desired_states(const char* verb, const std::vector<std::string>& names, bool up,
                               const std::optional<std::vector<std::string>>& caller);
    boost::asio::awaitable<void> desired_states_are_durable() const;
    std::vector<unit_ptr> running() const;

    const std::shared_ptr<unit_context> context;  // also held by every unit
    std::vector<unit_spec> specs;                 // in file order
    std::map<std::string, unit_ptr, std::less<>> units;
    std::vector<unit_ptr> retired;             // removed from the configuration, maybe still stopping
    std::shared_ptr<command_runner> commands;  // shared with its own coroutines
    bool applied = false;                      // a configuration, before

private:
    failure unknown(const char* verb, const std::string& name) const;
    unit_ptr make(const unit_spec& spec) const;
    unit_ptr revive(const unit_spec& spec);
};

}  // namespace hob::unit
