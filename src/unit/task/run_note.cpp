#include "unit/task/run_note.hpp"

#include <fmt/format.h>

#include <charconv>

#include "unit/task/active_run.hpp"
#include "util/clock.hpp"
#include "util/json/json_fields.hpp"

namespace hob::unit {

template <util::json_fields::is<run_order> Note, typename Field>
void each_field(Note& order, const Field& field) {
    field("unit", order.unit);
    field("command", order.command);
    field("trigger", order.trigger);
    field("cause", order.cause);
    field("dependent", order.dependent);
    field("arguments", order.arguments);
    field("variables", order.variables);
    field("attempt", order.attempt);
    field("retry_of", order.retry_of);
    field("due", order.due);
    field("slot_rule", order.slot_rule);
    field("slot_anchor", order.slot_anchor);
    field("slot", order.slot);
    field("environment", order.environment);
    field("cwd", order.cwd);
    field("umask", order.umask);
    field("limits", order.limits);
    field("input", order.input);
    field("terminal", order.terminal);
    field("rows", order.rows);
    field("columns", order.columns);
    field("by_client", order.by_client);
    field("token", order.token);
}

template <util::json_fields::is<run_progress> Note, typename Field>
void each_field(Note& progress, const Field& field) {
    field("cgroup", progress.cgroup);
    field("cause", progress.cause);
    field("ended_by", progress.ended_by);
    field("limit_ends", progress.limit_ends);
    field("outlives_client", progress.outlives_client);
}

namespace {

std::optional<util::resource_limit> parse_limit(std::string_view text) {
    util::resource_limit limit;
    const auto take = [&text](auto& into) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        if (error != std::errc()) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.starts_with(' ')) text.remove_prefix(1);
        return true;
    };
    if (!take(limit.resource) || !take(limit.value.rlim_cur) || !take(limit.value.rlim_max)) return std::nullopt;
    return limit;
}

}  // namespace

void put_parameters(const run_parameters& parameters, run_order& order) {
    order.trigger = name_of(parameters.trigger);
    order.cause = parameters.cause;
    order.dependent = parameters.dependent;
    order.arguments = parameters.arguments;
    for (const auto& [key, value] : parameters.variables)
        order.variables.push_back(key + "=" + value);
    order.attempt = parameters.attempt;
    order.retry_of = parameters.retry_of;
    if (parameters.slot) {
        order.slot_rule = parameters.slot->rule;
        order.slot_anchor = util::ms_of(parameters.slot->anchor);
        order.slot = util::ms_of(parameters.slot->last_slot);
    }
    if (parameters.caller && parameters.trigger == run_trigger::manual) order.environment = *parameters.caller;
    order.cwd = parameters.cwd.value_or("");
    if (parameters.umask) order.umask = *parameters.umask;
    for (const auto& [resource, value] : parameters.limits)
        order.limits.push_back(fmt::format("{} {} {}", resource, value.rlim_cur, value.rlim_max));
    order.input = parameters.input;
    order.terminal = parameters.terminal.has_value();
    order.rows = parameters.terminal.value_or(terminal_size()).rows;
    order.columns = parameters.terminal.value_or(terminal_size()).columns;
    order.by_client = parameters.listener.has_value();
    order.token = parameters.token;
}

run_parameters parameters_of(const run_order& order) {
    run_parameters parameters;
    parameters.trigger = run_trigger_named(order.trigger).value_or(run_trigger::manual);
    parameters.cause = order.cause;
    parameters.dependent = order.dependent;
    parameters.arguments = order.arguments;
    for (const auto& entry : order.variables) {
        const auto equals = entry.find('=');
        if (equals != std::string::npos)
            parameters.variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    parameters.attempt = static_cast<int>(order.attempt);
    parameters.retry_of = order.retry_of;
    if (!order.slot_rule.empty()) {
        parameters.slot = schedule_record{order.slot_rule, util::time_of_ms(order.slot_anchor),
                                          util::time_of_ms(order.slot)};
    }
    if (!order.environment.empty()) parameters.caller = order.environment;
    if (!order.cwd.empty()) parameters.cwd = order.cwd;
    if (order.umask >= 0) parameters.umask = static_cast<unsigned>(order.umask);
    for (const auto& text : order.limits) {
        if (const auto limit = parse_limit(text)) parameters.limits.push_back(*limit);
    }
    parameters.input = order.input;
    if (order.terminal)
        parameters.terminal = terminal_size{static_cast<unsigned short>(order.rows),
                                            static_cast<unsigned short>(order.columns)};
    parameters.token = order.token;
    return parameters;
}

bool is_asked_for_again(const run_order& order) {
    return order.trigger == name_of(run_trigger::manual) || order.trigger == name_of(run_trigger::after);
}

bool is_lost_without_process(const run_order& order) {
    return is_asked_for_again(order) && order.token.empty();
}

std::string to_json(const run_order& order) { return util::json_fields::to_json(order); }

std::string to_json(const run_progress& progress) { return util::json_fields::to_json(progress); }

std::optional<run_order> parse_run_order(const std::string& text) {
    return util::json_fields::parse<run_order>(text);
}

std::optional<run_progress> parse_run_progress(const std::string& text) {
    return util::json_fields::parse<run_progress>(text);
}

}  // namespace hob::unit
