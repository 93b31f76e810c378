#pragma once
// hob as the application of its daemon: the units of hob.toml, their registry and their database.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lifecycle/application.hpp"
#include "unit/application/file_stamps.hpp"
#include "unit/process/child.hpp"
#include "unit/process/subreaper.hpp"
#include "unit/registry/registry.hpp"
#include "unit/spec/spec.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

class application final : public lifecycle::application {
public:
    explicit application(lifecycle::application_context context);
    ~application() override;

    const unit::config& config() const { return config_; }
    unit::registry& registry() { return *registry_; }
    const lifecycle::instance& where() const { return context_.where; }

    // The request of `by`, a process, names these units: see registry::consent(). A process of a unit names
    // nothing. Returns the units that will start by themselves from now on.
    std::vector<std::string> consent(const std::vector<std::string>& names, pid_t by);

    // The units that a request of `by` means, see selected_names(). `directory`: in which it was given;
    // empty: that of the process.
    std::vector<std::string> names_for(const char* verb, const std::vector<std::string>& names, pid_t by,
                                       const std::string& directory = {}) const;

    // Of one unit, without selectors.
    std::string name_for(const std::string& name, pid_t by) const;

    // Refuses the request of `by` to `verb` these units, if it would wait for itself: see
    // registry::refuse_deadlock().
    void refuse_deadlock(const char* verb, const std::vector<std::string>& names, pid_t by) const;

    void load_config() override;
    const lifecycle::daemon_settings& daemon_config() const override { return config_.daemon; }
    const lifecycle::log_settings& log_config() const override { return config_.log; }
    void open() override;
    std::string apply_config(lifecycle::config_change change) override;
    bool config_is_applied() const override;
    bool anything_running() const override;
    std::string compare_config() const override;
    void begin() override;
    boost::asio::awaitable<void> drain() override;
    boost::asio::awaitable<void> stop() override;
    std::string ended_badly_json() const override;
    void kill() override;
    void keeper_lost() override;
    void forget_running() override;
    boost::asio::awaitable<void> hand_over(std::chrono::milliseconds limit) override;
    util::unique_fd successor_input() const override;
    bool busy() const override;  // a call in flight, or a service or task up
    bool needed() const override;
    std::string status_json(const std::vector<std::string>& names) const override;
    std::string status_members() const override;
    lifecycle::page_units page_units() const override;
    std::string config_path() const override { return config_.source_path; }
    lifecycle::config_state config_state() const override;
    lifecycle::config_state config_state_at_a_glance() override;
    std::string degraded() const override;

private:
    unit::config read_config() const;
    bool resume_config();  // false: there is none of a daemon before this one
    struct survivors {
        std::set<std::string, std::less<>> units{};      // services and tasks with a process
        std::set<std::string, std::less<>> unstarted{};  // services without one
        std::set<std::int64_t> runs{};
    };
    survivors find_survivors() const;
    void adopt_units();
    void adopt_workers();
    void know_carried_workers() const;
    void log_warnings() const;
    std::vector<file_stamp> stamps_of_files() const;
    void log_begin() const;
    unit_status known_status(const std::string& name) const;

    lifecycle::application_context context_;
    unit::config config_;
    util::unique_fd config_text_;     // a file_record of the configuration in effect; empty: without a keeper
    std::vector<file_stamp> stamps_;  // of all files of the configuration, when config_state_ was found out
    lifecycle::config_state config_state_ = lifecycle::config_state::current;
    std::unique_ptr<unit::store> store_;
    std::unique_ptr<unit::registry> registry_;
    subreaper subreaper_;
};

}  // namespace hob::unit
