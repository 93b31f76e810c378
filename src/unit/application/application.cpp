#include "unit/application/application.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "error.hpp"
#include "ipc/unit_state.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "unit/process/orphan_cleanup.hpp"
#include "unit/process/usage.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "unit/store/run_store.hpp"
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

std::string to_json(const apply_result& difference) {
    util::json_object result;
    result.add("added", names_json(difference.added));
    result.add("removed", names_json(difference.removed));
    result.add("changed", names_json(difference.changed));
    result.add("unchanged", names_json(difference.unchanged));
    return std::move(result).text();
}

bool starts_by_itself(const unit_spec& spec) {
    if (const auto* service = std::get_if<service_spec>(&spec.detail)) return service->autostart;
    const auto* task = std::get_if<task_spec>(&spec.detail);
    return task && (task->every || task->cron || task->on_start || !task->watch.empty());
}

}  // namespace

application::application(lifecycle::application_context context)
    : context_(std::move(context)), subreaper_(context_.executor) {}

application::~application() = default;

// ---- configuration ----

unit::config application::read_config() const {
    const lifecycle::instance& where = context_.where;
    if (!where.config_required && !file_exists(where.config_path)) return default_config();
    return unit::load_config(where.config_path, ::geteuid(), where.root);
}

void application::load_config() { config_ = read_config(); }

void application::log_warnings() const {
    for (const auto& warning : config_.warnings)
        util::log(util::level::warning, "config", warning);
}

std::string application::apply_config(lifecycle::config_change change) {
    log_warnings();
    const bool keep = change == lifecycle::config_change::keep;
    return to_json(registry_->apply(config_, keep ? running_process::keep : running_process::replace));
}

bool application::config_is_applied() const {
    const std::string& path = context_.where.config_path;
    if (config_.source_path.empty()) return !file_exists(path);
    return config_hash(path, ::geteuid()) == config_.source_hash && env_files_unchanged(config_);
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
    consented_ = store_->consented();
    run_store(*store_).mark_running_lost();
    clean_up_orphans(*store_, where.key, limits::sweep_timeout, &config_, where.state_dir());

    registry_options options{.executor = context_.executor,
                             .instance_key = where.key,
                             .state_dir = where.state_dir(),
                             .base_environment = std::move(context_.caller.environment),
                             .unit_nofile = context_.caller.nofile,
                             .db = *store_,
                             .root = where.root,
                             .log_max_size = config_.log.max_size,
                             .log_max_files = config_.log.max_files,
                             .publish = context_.publish,
                             .changed = context_.changed};
    registry_ = std::make_unique<unit::registry>(std::move(options));
    registry_->apply(config_);
}

void application::begin() {
    if (consented_) registry_->begin();
    log_begin();
}

// Who runs the daemon in the foreground sees nothing else of it.
void application::log_begin() const {
    std::vector<std::string> names = consented_ ? registry_->services_to_restart() : std::vector<std::string>();
    for (const auto& spec : config_.units) {
        const bool listed = std::find(names.begin(), names.end(), spec.name) != names.end();
        if (!listed && starts_by_itself(spec)) names.push_back(spec.name);
    }
    const util::log_field units = util::field("units", fmt::format("{}", fmt::join(names, ", ")));
    if (names.empty()) {
        util::log(util::level::info, "unit", "no unit starts by itself");
    } else if (consented_) {
        util::log(util::level::info, "unit", "these units start by themselves", {units});
    } else {
        util::log(util::level::warning, "unit", "no unit starts by itself until a command names one",
                  {units, util::field("hint", "hob start")});
    }
}

void application::consent() {
    if (consented_) return;
    consented_ = true;
    store_->set_consented();
    registry_->begin();
}

boost::asio::awaitable<void> application::drain() { return registry_->drain(); }

boost::asio::awaitable<void> application::stop() { return registry_->stop_all(); }

void application::kill() { registry_->kill_all(); }

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

lifecycle::page_units application::page_units() const {
    auto units = registry_->status();
    lifecycle::page_units page;
    page.total = static_cast<std::uint32_t>(units.size());
    for (auto& unit : units) {
        unit.last_run.reset();  // long, and in the database
        if (ipc::is_up(unit.state)) ++page.up;
        if (unit.failing) ++page.failed;
    }
    page.json = units_json(units);
    return page;
}

std::string application::degraded() const { return store_->degraded().value_or(""); }

}  // namespace hob::unit
