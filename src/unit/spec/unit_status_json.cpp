#include "unit/spec/unit_status_json.hpp"

#include "util/clock.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

std::optional<std::string> time_text(const std::optional<std::chrono::system_clock::time_point>& time) {
    if (!time) return std::nullopt;
    return util::rfc3339(*time);
}

// pid and name are null if they are not known.
util::json_object port_user_json(const port_user& user) {
    util::json_object object;
    object.add("port", user.port)
        .add("pid", user.pid > 0 ? std::optional(user.pid) : std::nullopt)
        .add("name", user.name.empty() ? std::nullopt : std::optional(user.name));
    return object;
}

util::json_object limits_json(const unit_status& status) {
    const resource_spec& wanted = status.resources;
    util::json_object object;
    if (wanted.memory_max > 0)
        object.add("memory_max", wanted.memory_max).add("memory_measured", status.memory_measured);
    if (wanted.pids_max > 0) object.add("pids_max", wanted.pids_max);
    if (wanted.cpu_weight != resource_spec().cpu_weight) object.add("cpu_weight", wanted.cpu_weight);
    util::json_array without_effect;
    for (const auto& key : status.without_effect)
        without_effect.add(key);
    object.add("without_effect", without_effect);
    return object;
}

}  // namespace

std::string unit_json(const unit_status& status) {
    util::json_object object;
    object.add("name", status.name).add("kind", name_of(status.kind)).add("state", name_of(status.state));
    object.add("pid", status.pid > 0 ? std::optional(status.pid) : std::nullopt)
        .add("since", time_text(status.since))
        .add("restarts", status.restarts)
        .add("exit", status.exit)
        .add("detail", status.detail.empty() ? std::nullopt : std::optional(status.detail));
    if (!status.waiting_for.empty()) object.add("waiting_for", status.waiting_for);
    if (!status.probe.empty()) object.add("probe", status.probe);
    if (!status.probe_failure.empty()) object.add("probe_failure", status.probe_failure);
    if (status.port_taken) object.add("port_taken", port_user_json(*status.port_taken));
    if (!status.left.empty()) {
        util::json_array left;
        for (const pid_t pid : status.left)
            left.add(pid);
        object.add("left", left);
    }
    if (status.changed) object.add("changed", true);
    if (status.is_new) object.add("new", true);
    if (!status.enabled) object.add("enabled", false);
    if (!(status.resources == resource_spec())) object.add("limits", limits_json(status));
    object.add("rss_kib", status.rss_kib)
        .add("cpu_ms", status.cpu_ms)
        .add("next_at", time_text(status.next_at));
    const std::string last_run = status.last_run ? run_json(*status.last_run) : "null";
    object.add("last_run", util::raw_json{last_run});
    if (status.failing) object.add("failing", true);
    return std::move(object).text();
}

std::string units_json(std::span<const unit_status> units) {
    util::json_array array;
    for (const auto& status : units) {
        const std::string text = unit_json(status);
        array.add(util::raw_json{text});
    }
    return std::move(array).text();
}

}  // namespace hob::unit
