#include "cmd/units/unready.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cmd/core/log_tail.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "identity.hpp"
#include "ipc/client.hpp"
#include "ipc/unit_state.hpp"
#include "lifecycle/connect.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t last_lines = 10;  // of the log of each unit

using ipc::unit_state;

// As the daemon sees them now; empty if it does not answer soon.
std::vector<unit_view> all_units(invocation& call) {
    try {
        const auto soon = util::deadline::in(limits::glance_timeout);
        auto daemon = lifecycle::connect_looking(call.where(), soon);
        if (daemon) return read_units(daemon->call(this_program.methods.status, "{}", soon));
    } catch (const failure&) {  // the failure to be explained is more important
    } catch (const ipc::not_executed&) {
    }
    return {};
}

bool has_failed(const unit_view& unit) {
    const auto state = ipc::unit_state_named(unit.state);
    return state == unit_state::failed || state == unit_state::backoff;
}

bool is_on_its_way(const unit_view& unit) {
    const auto state = ipc::unit_state_named(unit.state);
    return state == unit_state::waiting || state == unit_state::starting || state == unit_state::stopping;
}

bool was_asked_for(const invocation& call, const unit_view& unit) {
    if (call.operands.empty()) return unit.kind == "service";
    return std::find(call.operands.begin(), call.operands.end(), unit.name) != call.operands.end();
}

// The units asked for, and all that they wait for.
std::set<std::string> awaited_names(const invocation& call, const std::vector<unit_view>& units) {
    std::set<std::string> names;
    for (const auto& unit : units) {
        if (was_asked_for(call, unit)) names.insert(unit.name);
    }
    for (std::size_t before = 0; before != names.size();) {
        before = names.size();
        for (const auto& unit : units) {
            if (names.contains(unit.name) && !unit.waiting_for.empty()) names.insert(unit.waiting_for);
        }
    }
    return names;
}

std::vector<unit_view> unready_units(invocation& call, bool timed_out) {
    std::vector<unit_view> units = all_units(call);
    const std::set<std::string> awaited = awaited_names(call, units);
    std::erase_if(units, [&](const unit_view& unit) {
        const bool matters = has_failed(unit) || (timed_out && is_on_its_way(unit));
        return !matters || !awaited.contains(unit.name);
    });
    return units;
}

// "'db' is starting for 3.2s: not ready: port 5432: Connection refused (tcp = 5432)"
std::string state_text(const unit_view& unit) {
    const bool failed = ipc::unit_state_named(unit.state) == unit_state::failed;
    std::string text = fmt::format("'{}' {}", unit.name, failed ? "has failed" : "is " + unit.state);
    if (const std::string age = age_of(unit.since); !age.empty() && !has_failed(unit)) text += " for " + age;
    if (!unit.detail.empty()) text += ": " + unit.detail;
    // The detail may be what the service says of itself.
    if (!unit.probe_failure.empty() && unit.detail.find(unit.probe_failure) == std::string::npos)
        text += "; not ready: " + unit.probe_failure;
    if (!unit.probe.empty()) text += fmt::format(" ({})", unit.probe);
    return text;
}

std::string detail_of(invocation& call, const failure& why, const std::vector<unit_view>& units,
                      std::chrono::system_clock::time_point began) {
    util::json_array entries;
    for (const auto& unit : units) {
        util::json_array lines;
        for (const auto& line : last_texts(call.where(), unit.name, last_lines, began))
            lines.add(line);
        util::json_object entry;
        entry.add("name", unit.name).add("kind", unit.kind).add("state", unit.state);
        entry.add("since", unit.since).add("detail", unit.detail);
        if (!unit.waiting_for.empty()) entry.add("waiting_for", unit.waiting_for);
        if (!unit.probe.empty()) entry.add("probe", unit.probe);
        if (!unit.probe_failure.empty()) entry.add("probe_failure", unit.probe_failure);
        if (!unit.port_taken.empty()) entry.add("port_taken", util::raw_json{unit.port_taken});
        entry.add("lines", lines);
        entries.add(entry);
    }
    const std::string& before = why.detail();
    const bool has_members = before.starts_with('{') && before != "{}";
    util::json_object detail = has_members ? util::json_object(util::raw_json{before}) : util::json_object();
    return detail.add("units", entries).text();
}

}  // namespace

failure explain_unready(invocation& call, std::string_view verb, const failure& why,
                        std::chrono::system_clock::time_point began) {
    // Not at the deadline of a start of the daemon.
    const bool timed_out = why.kind() == error_kind::timeout && why.tried().verb == "finish";
    if (!timed_out && why.kind() != error_kind::unit_failed) return why;
    const std::vector<unit_view> units = unready_units(call, timed_out);
    const std::string culprit = util::json_find_string(why.detail(), {"unit"}).value_or("");
    if (!call.global.json) {
        const bool listed = std::any_of(units.begin(), units.end(),
                                        [&](const unit_view& unit) { return unit.name == culprit; });
        if (!culprit.empty() && !listed)
            print_error(last_log_lines(call.where(), culprit, last_lines, began));
        for (const auto& unit : units)
            print_error(last_log_lines(call.where(), unit.name, last_lines, began));
    }
    std::string reason = timed_out ? "the deadline is over" : why.reason();
    const std::string only = call.operands.size() == 1 ? call.operands.front() : "";
    for (const auto& unit : units) {
        const bool explained =
            !timed_out && (unit.name == culprit || unit.name == only || unit.name == why.tried().object);
        if (!explained) reason += "; " + state_text(unit);
    }
    const std::string detail = units.empty() ? why.detail() : detail_of(call, why, units, began);
    if (!timed_out && why.tried().verb.empty()) return failure(why.kind(), reason, why.hint(), detail);
    const std::string object = call.operands.empty() ? "every service" : call.operands.front();
    const cannot tried = timed_out ? cannot(verb, object) : why.tried();
    const std::string hint =
        timed_out && !units.empty() ? command_text("logs") + " " + units.front().name : why.hint();
    return failure(why.kind(), tried, reason, hint, detail);
}

}  // namespace hob::cmd
