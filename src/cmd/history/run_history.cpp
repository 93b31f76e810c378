#include "cmd/history/run_history.hpp"

#include <boost/json.hpp>

#include <string>

#include "error.hpp"
#include "lifecycle/connect.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "unit/registry/registry.hpp"
#include "util/clock.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

std::string text(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> number(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (!value || !value->is_int64()) return std::nullopt;
    return value->as_int64();
}

unit::run_record record_of(const json::object& from) {
    unit::run_record run;
    run.id = number(from, "id").value_or(0);
    run.kind = unit::record_kind_named(text(from, "kind")).value_or(unit::record_kind::run);
    run.task = text(from, "task");
    run.trigger = unit::run_trigger_named(text(from, "trigger")).value_or(unit::run_trigger::manual);
    run.cause = text(from, "cause");
    run.state = ipc::run_state_named(text(from, "state")).value_or(unit::run_state::lost);
    run.started_at = util::parse_rfc3339(text(from, "started_at")).value_or(run.started_at);
    run.ended_at = util::parse_rfc3339(text(from, "ended_at"));
    run.exit = number(from, "exit");
    run.signal = number(from, "signal");
    run.cpu_ms = number(from, "cpu_ms");
    run.max_rss_kib = number(from, "max_rss_kib");
    run.ready_at = util::parse_rfc3339(text(from, "ready_at"));
    run.restarts = number(from, "restarts");
    return run;
}

std::string list_params(const unit::run_query& query) {
    util::json_object params;
    params.add_if("task", query.task);
    if (query.limit > 0) params.add("limit", query.limit);
    if (query.failed) params.add("failed", true);
    if (query.since) params.add("since", util::rfc3339(*query.since));
    if (query.until) params.add("until", util::rfc3339(*query.until));
    return std::move(params).text();
}

const failure& malformed() {
    static const failure reason(error_kind::usage, cannot("read", {}, "the params"),
                                "they are not {\"task\":NAME,\"limit\":N,\"failed\":BOOL,\"since\":TIME,"
                                "\"until\":TIME}");
    return reason;
}

std::optional<std::chrono::system_clock::time_point> time_in(const json::object& params,
                                                             std::string_view name) {
    if (!params.contains(name)) return std::nullopt;
    const auto time = util::parse_rfc3339(text(params, name));
    if (!time) throw malformed();
    return time;
}

unit::run_query query_of(std::string_view params) {
    json::error_code error;
    const json::value parsed = json::parse(params.empty() ? "{}" : params, error);
    if (error || !parsed.is_object()) throw malformed();
    const json::object& members = parsed.as_object();
    unit::run_query query;
    if (const auto* task = members.if_contains("task")) {
        if (!task->is_string()) throw malformed();
        query.task = std::string(task->as_string());
    }
    if (const auto* limit = members.if_contains("limit")) {
        if (!limit->is_int64() || limit->as_int64() < 0) throw malformed();
        query.limit = static_cast<std::size_t>(limit->as_int64());
    }
    if (const auto* failed = members.if_contains("failed")) {
        if (!failed->is_bool()) throw malformed();
        query.failed = failed->as_bool();
    }
    query.since = time_in(members, "since");
    query.until = time_in(members, "until");
    return query;
}

}  // namespace

std::vector<unit::run_record> run_history(invocation& call, const unit::run_query& query) {
    bool daemon_gone = false;
    try {
        auto daemon = lifecycle::connect_looking(call.where(), call.limit_or(limits::request_timeout));
        if (daemon) {
            const auto reply = json::parse(daemon->call("run.list", list_params(query), call.limit));
            std::vector<unit::run_record> runs;
            for (const auto& run : reply.at("runs").as_array())
                runs.push_back(record_of(run.as_object()));
            // A daemon of an earlier version does not know every condition.
            std::erase_if(runs, [&](const unit::run_record& run) { return !query.matches(run); });
            return runs;
        }
        daemon_gone = true;
    } catch (const failure&) {
        // Without an answer of the daemon, read the database.
    } catch (const ipc::not_executed&) {
    }
    return unit::read_runs(call.where().database_path(), query, daemon_gone);
}

std::optional<unit::run_record> find_run_record(invocation& call, std::int64_t id) {
    return unit::read_run(call.where().database_path(), id);
}

failure no_such_run(invocation& call, cannot tried, std::int64_t id) {
    if (unit::read_was_forgotten(call.where().database_path(), id)) {
        return {error_kind::unit_unknown, std::move(tried), "it was removed from the history",
                "'keep' of its unit says how much is kept: hob help keep"};
    }
    return {error_kind::unit_unknown, std::move(tried), "there is no such run", "hob runs lists them"};
}

std::string answer_run_list(handler_context context, ipc::session&, const ipc::request& request) {
    const auto runs = context.units.registry().runs().list(query_of(request.params));
    const std::string list = unit::runs_json(runs, context.units.where().log_dir());
    return util::json_object().add("runs", util::raw_json{list}).text();
}

}  // namespace hob::cmd
