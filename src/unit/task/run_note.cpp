#include "unit/task/run_note.hpp"

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
    field("terminal", order.terminal);
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
    if (order.terminal) parameters.terminal = terminal_size{};
    parameters.token = order.token;
    return parameters;
}

bool is_asked_for_again(const run_order& order) {
    return order.trigger == name_of(run_trigger::manual) || order.trigger == name_of(run_trigger::after);
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
