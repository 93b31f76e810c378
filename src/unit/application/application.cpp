#include "unit/application/application.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "error.hpp"
#include "ipc/status_page.hpp"
#include "ipc/unit_state.hpp"
#include "limits.hpp"
#include "unit/application/unit_names.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file_record.hpp"
#include "unit/ports/port_reservations.hpp"
#include "unit/process/caller.hpp"
#include "unit/process/known_children.hpp"
#include "unit/process/orphan_cleanup.hpp"
#include "unit/process/usage.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "unit/store/run_store.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

bool file_exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

util::json_array names_json(const std::vector<std::string>& names) {
    util::json_array array;
    for (const auto& name : names)
        array.add(name);
    return array;
}

std::string to_json(const apply_result& difference, const std::vector<std::string>& by_themselves = {}) {
    util::json_object result;
    result.add("added", names_json(difference.added));
    result.add("removed", names_json(difference.removed));
    result.add("changed", names_json(difference.changed));
    result.add("unchanged", names_json(difference.unchanged));
    if (!by_themselves.empty()) result.add("by_itself", names_json(by_themselves));
    return std::move(result).text();
}

constexpr std::size_t unit_json_min = 100;  // bytes of one unit on the status page

}  // namespace

application::application(lifecycle::application_context context)
    : context_(std::move(context)), subreaper_(context_.executor) {
    know_carried_workers();
}

application::~application() = default;

// ---- configuration ----

unit::config application::read_config() const {
    const lifecycle::instance& where = context_.where;
    if (!where.config_required && !file_exists(where.config_path)) return default_config();
    return unit::load_config(where.config_path, ::geteuid(), where.root);
}

// The next glance finds out what the files look like: they may change while they are read.
void application::load_config() {
    if (!store_ && resume_config()) return;
    file_record read;
    {
        const recorded_reading reading(&read);
        config_ = read_config();
    }
    stamps_.clear();
    if (!context_.keeper) return;
    config_text_ = lifecycle::text_file(held_config_key, read.text());
    context_.keeper->hold(held_config_key, {{lifecycle::text_role, config_text_.get()}});
}

std::vector<file_stamp> application::stamps_of_files() const {
    std::vector<file_stamp> stamps{stamp_of(context_.where.config_path)};
    for (const auto& file : config_.further)
        stamps.push_back(stamp_of(file.path));
    for (const auto& spec : config_.units) {
        for (const auto& file : spec.env_files)
            stamps.push_back(stamp_of_distant(file.path, config_.source_path));
    }
    return stamps;
}

lifecycle::config_state application::config_state_at_a_glance() {
    auto stamps = stamps_of_files();
    if (stamps != stamps_) {
        config_state_ = config_state();
        stamps_ = std::move(stamps);
    }
    return config_state_;
}

void application::log_warnings() const {
    for (const auto& warning : config_.warnings)
        util::log(util::level::warning, "config", warning);
}

std::string application::apply_config(lifecycle::config_change change) {
    log_warnings();
    const bool keep = change == lifecycle::config_change::keep;
    std::vector<std::string> by_themselves;
    if (change == lifecycle::config_change::replace) by_themselves = registry_->consent_to_all(config_);
    const auto difference =
        registry_->apply(config_, keep ? running_process::keep : running_process::replace);
    return to_json(difference, by_themselves);
}

bool application::config_is_applied() const {
    const std::string& path = context_.where.config_path;
    if (config_.source_path.empty()) return !file_exists(path);
    return config_hash(path, ::geteuid()) == config_.source_hash && further_files_unchanged(config_) &&
           env_files_unchanged(config_);
}

bool application::anything_running() const { return registry_->anything_running(); }

std::string application::compare_config() const { return to_json(registry_->compare(read_config())); }

lifecycle::config_state application::config_state() const {
    try {
        if (config_is_applied()) return lifecycle::config_state::current;
        read_config();
        return lifecycle::config_state::changed;
    } catch (const failure&) {
        return lifecycle::config_state::broken;
    }
}

// ---- life ----

void application::open() {
    const lifecycle::instance& where = context_.where;
    log_warnings();
    store_ = std::make_unique<unit::store>(where.database_path());
    const survivors found = find_survivors();
    set_root_of_units(context_.keeper ? context_.keeper->pid() : 0);
    run_store runs(*store_);
    runs.remove_unstarted_lives(found.unstarted);
    runs.mark_running_lost(found.units, found.runs);
    clean_up_orphans(*store_, where.key, limits::sweep_timeout, {&config_, where.state_dir(), found.units});

    registry_options options{.executor = context_.executor,
                             .instance_key = where.key,
                             .state_dir = where.state_dir(),
                             .base_environment = std::move(context_.caller.environment),
                             .unit_nofile = context_.caller.nofile,
                             .db = *store_,
                             .keeper = context_.keeper,
                             .goes_on = !context_.held.empty(),
                             .ports_path = port_reservations_path(where.state_root),
                             .root = where.root,
                             .log_max_size = config_.log.max_size,
                             .log_max_files = config_.log.max_files,
                             .publish = context_.publish,
                             .show_line = context_.show_line,
                             .changed = context_.changed};
    registry_ = std::make_unique<unit::registry>(std::move(options));
    registry_->adopt_consent_to_path(config_);
    registry_->apply(config_);
    adopt_units();
}

void application::begin() {
    registry_->begin();
    log_begin();
}

// Who runs the daemon in the foreground sees nothing else of it.
void application::log_begin() const {
    std::vector<std::string> names = registry_->services_to_restart(), held_back;
    for (const auto& spec : config_.units) {
        const bool listed = std::find(names.begin(), names.end(), spec.name) != names.end();
        if (listed || !starts_by_itself(spec)) continue;
        (registry_->is_consented({spec.name}) ? names : held_back).push_back(spec.name);
    }
    const auto list = [](const std::vector<std::string>& units) {
        return util::field("units", fmt::format("{}", fmt::join(units, ", ")));
    };
    if (!names.empty()) {
        util::log(util::level::info, "unit", "these units start by themselves", {list(names)});
    } else if (held_back.empty()) {
        util::log(util::level::info, "unit", "no unit starts by itself");
    }
    if (!held_back.empty()) {
        util::log(util::level::warning, "unit",
                  names.empty() ? "no unit starts by itself until a command names one"
                                : "these units are new and start by themselves once a command names them",
                  {list(held_back), util::field("hint", "hob start")});
    }
}

std::vector<std::string> application::consent(const std::vector<std::string>& names, pid_t by) {
    if (registry_->is_consented(names) || is_inside_unit(by)) return {};
    return registry_->consent(names);
}

std::vector<std::string> application::names_for(const char* verb, const std::vector<std::string>& names,
                                                pid_t by, const std::string& directory) const {
    std::string from;
    if (!config_.included.empty()) from = directory.empty() ? working_directory_of(by) : directory;
    return selected_names(config_, verb, names, from);
}

std::string application::name_for(const std::string& name, pid_t by) const {
    return config_.included.empty() ? name : scoped_name(config_, name, working_directory_of(by));
}

void application::refuse_deadlock(const char* verb, const std::vector<std::string>& names, pid_t by) const {
    if (registry_->may_wait(names)) registry_->refuse_deadlock(verb, names, unit_of(by, context_.where.key));
}

boost::asio::awaitable<void> application::drain() { return registry_->drain(); }

boost::asio::awaitable<void> application::stop() { return registry_->stop_all(); }

std::string application::ended_badly_json() const {
    const auto units = registry_->ended_badly();
    return units.empty() ? std::string() : units_json(units);
}

void application::kill() { registry_->kill_all(); }

void application::keeper_lost() { set_root_of_units(0); }

boost::asio::awaitable<void> application::hand_over(std::chrono::milliseconds limit) {
    return registry_->hand_over(limit);
}

// The file may have been read: a copy has an offset of its own.
util::unique_fd application::successor_input() const {
    return config_text_ ? util::open_file(fmt::format("/proc/self/fd/{}", config_text_.get()), O_RDONLY)
                        : util::unique_fd();
}

void application::forget_running() { store_->clear_all_desired_up(); }

// ---- state ----

bool application::busy() const { return registry_->busy(); }

bool application::needed() const { return registry_->needed(); }

unit_status application::known_status(const std::string& name) const {
    if (auto status = registry_->status(name)) return *status;
    std::vector<std::string_view> names;
    for (const auto& spec : config_.units)
        names.push_back(spec.name);
    const auto nearest = util::nearest(name, names);
    throw failure(error_kind::unit_unknown, cannot("show", name), "there is no such unit",
                  nearest ? fmt::format("did you mean '{}'?", *nearest) : "");
}

std::string application::status_json(const std::vector<std::string>& names) const {
    std::vector<unit_status> units;
    if (names.empty()) {
        units = registry_->status();
    } else {
        for (const auto& name : names)
            units.push_back(known_status(name));
    }
    for (auto& unit : units) {
        if (unit.pid == 0) continue;
        const usage used = tree_usage(unit.pid, unit.cgroup);
        unit.rss_kib = used.rss_kib;
        unit.cpu_ms = used.cpu_ms;
    }
    return units_json(units);
}

std::string application::status_members() const {
    if (config_.ports.empty()) return {};
    util::json_object ports;
    for (const auto& [name, port] : registry_->ports())
        ports.add(name, port);
    return util::json_object().add("ports", ports).text();
}

lifecycle::page_units application::page_units() const {
    const auto counts = registry_->counts();
    lifecycle::page_units page;
    page.total = static_cast<std::uint32_t>(counts.total);
    page.up = static_cast<std::uint32_t>(counts.up);
    page.failed = static_cast<std::uint32_t>(counts.failed);
    // It is written whenever a unit changes: with many of them, only what there is room for.
    if (counts.total > ipc::status_page_units_max / unit_json_min) return page;
    auto units = registry_->status();
    for (auto& unit : units)
        unit.last_run.reset();  // long, and in the database
    page.json = units_json(units);
    return page;
}

std::string application::degraded() const { return store_->degraded().value_or(""); }

}  // namespace hob::unit
