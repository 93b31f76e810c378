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
    return run;
}

std::string list_params(const unit::run_query& query) {
    util::json_object params;
    params.add_if("task", query.task);
    if (query.limit > 0) params.add("limit", query.limit);
    return std::move(params).text();
}

unit::run_query query_of(std::string_view params) {
    const failure malformed(error_kind::usage, cannot("read", {}, "the params"),
                            "they are not {\"task\":NAME,\"limit\":N}");
    json::error_code error;
    const json::value parsed = json::parse(params.empty() ? "{}" : params, error);
    if (error || !parsed.is_object()) throw malformed;
    unit::run_query query;
    if (const auto* task = parsed.as_object().if_contains("task")) {
        if (!task->is_string()) throw malformed;
        query.task = std::string(task->as_string());
    }
    if (const auto* limit = parsed.as_object().if_contains("limit")) {
        if (!limit->is_int64() || limit->as_int64() < 0) throw malformed;
        query.limit = static_cast<std::size_t>(limit->as_int64());
    }
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

std::string answer_run_list(handler_context context, ipc::session&, const ipc::request& request) {
    const auto runs = context.units.registry().runs().list(query_of(request.params));
    const std::string list = unit::runs_json(runs, context.units.where().log_dir());
    return util::json_object().add("runs", util::raw_json{list}).text();
}

}  // namespace hob::cmd
