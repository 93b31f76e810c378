#include "cmd/units/up_session.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cmd/history/run_end.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/application/application.hpp"
#include "unit/config/config.hpp"
#include "unit/registry/registry.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/task/active_run.hpp"
#include "util/async.hpp"
#include "util/json/json_edit.hpp"
#include "util/log/log.hpp"

namespace hob::cmd {
namespace {

namespace asio = boost::asio;

void refuse_tasks(handler_context context, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const unit::unit_spec* spec = context.units.config().find(name);
        if (!spec || spec->kind != unit::unit_kind::task) continue;
        throw failure(error_kind::unit_failed, cannot("keep", name, "up"), "it is a task: it is run and ends",
                      fmt::format("hob run {0}, or hob up --exit-with {0}", name));
    }
}

// The tasks that triggers run meanwhile.
std::vector<std::string> triggered_tasks(handler_context context) {
    std::vector<std::string> names;
    for (const auto& spec : context.units.config().units) {
        if (spec.kind == unit::unit_kind::task && unit::starts_by_itself(spec)) names.push_back(spec.name);
    }
    return names;
}

void find_units(handler_context context, const unit_request& request, pid_t by, up_session& session) {
    if (!request.units.empty()) {
        session.units = context.units.names_for("start", request.units, by, request.directory);
        std::vector<std::string> plain;
        std::copy_if(request.units.begin(), request.units.end(), std::back_inserter(plain),
                     [](const std::string& name) { return !unit::is_selector(name); });
        if (!plain.empty())
            refuse_tasks(context, context.units.names_for("start", plain, by, request.directory));
    } else if (session.exit_with.empty()) {
        session.units = services_or_triggered(context, "start");
    } else {
        for (const auto& spec : context.units.config().units) {
            if (spec.kind == unit::unit_kind::service && spec.enabled) session.units.push_back(spec.name);
        }
    }
}

void add_exit_with(handler_context context, const unit_request& request, pid_t by, up_session& session) {
    if (request.exit_with.empty()) return;
    session.exit_with = context.units.names_for("start", {request.exit_with}, by, request.directory).front();
    const unit::unit_spec* spec = context.units.config().find(session.exit_with);
    if (spec && spec->kind == unit::unit_kind::worker) {
        throw failure(error_kind::unit_failed, cannot("end with", session.exit_with),
                      "it is a worker, which has no end of its own", "name a service or a task");
    }
    session.exit_with_is_task = spec && spec->kind == unit::unit_kind::task;
}

// Of a resumed session without a mark: a service without a process has ended before this daemon was asked.
up_mark mark_of(handler_context context, const up_session& session) {
    const bool missed = session.resumes && !context.units.registry().is_running(session.exit_with);
    const std::uint64_t ends = missed ? 0 : context.units.registry().ends_of(session.exit_with);
    return {static_cast<std::int64_t>(ends), context.daemon.keeper_pid()};
}

bool has_service(handler_context context, const up_session& session) {
    return std::any_of(session.units.begin(), session.units.end(), [&](const std::string& name) {
        const unit::unit_spec* spec = context.units.config().find(name);
        return spec && spec->kind != unit::unit_kind::task;
    });
}

up_unit shown_unit(handler_context context, const std::string& name, bool ours) {
    up_unit unit;
    unit.name = name;
    unit.ours = ours && !context.units.registry().is_running(name);
    struct stat facts {};
    if (::stat(context.units.where().unit_log_path(name).c_str(), &facts) == 0) {
        unit.log_inode = facts.st_ino;
        unit.log_size = static_cast<std::uint64_t>(facts.st_size);
    }
    return unit;
}

// Its failures are those of the units, whose states tell them.
asio::awaitable<void> start_all(handler_context context, std::vector<std::string> units,
                                std::optional<std::vector<std::string>> environment,
                                std::shared_ptr<util::manual_reset_event> tried) {
    try {
        co_await context.units.registry().start_units(std::move(units), std::move(environment));
    } catch (const failure& why) {
        util::log(util::level::info, "unit", "not all units that are to be up could be started",
                  {util::field("reason", why.what())});
    }
    tried->set();
}

// The status of a run that could not be started, if a shell has one for that.
void note_start_failure(const failure& why, up_end& end) {
    if (const auto status = util::json_find_integer(why.detail(), {"exit"}))
        end.status = static_cast<int>(*status);
    end.no_status = why.what();
}

asio::awaitable<unit::run_record> ended_run(handler_context context, const up_session& session) {
    unit::registry& registry = context.units.registry();
    std::shared_ptr<unit::active_run> run;
    if (session.resumes) {
        const std::int64_t id = registry.run_of(session.token).value_or(0);
        run = registry.find_run(id);
        if (!run) co_return registry.runs().find(id).value_or(unit::run_record());
    } else {
        unit::run_parameters parameters;
        parameters.caller = session.environment;
        parameters.token = session.token;
        run = registry.run_task(session.exit_with, std::move(parameters));
    }
    co_return co_await run->wait();
}

asio::awaitable<void> run_to_end(handler_context context, const up_session& session, up_end& end) {
    std::optional<failure> failed;
    try {
        const unit::run_record record = co_await ended_run(context, session);
        end.status = exit_status_of_run(unit::run_json(record, context.units.where().log_dir()));
    } catch (const failure& why) {
        failed.emplace(why);
    }
    if (failed) note_start_failure(*failed, end);
}

asio::awaitable<void> await_first_end(handler_context context, const up_session& session,
                                      util::manual_reset_event& tried, up_end& end) {
    if (session.resumes && session.mark.keeper != context.daemon.keeper_pid()) {
        end.no_status = "its process ended together with the daemon and its keeper";
        co_return;
    }
    const auto before = static_cast<std::uint64_t>(session.mark.ends);
    const auto ended = co_await context.units.registry().next_end(session.exit_with, before, tried);
    end.shuts_down = !ended;
    if (!ended) co_return;
    if (ended->exit) {
        end.status = ended->exit->signalled ? 128 + ended->exit->number : ended->exit->number;
    } else {
        end.no_status = ended->reason.empty() ? "it did not start" : ended->reason;
    }
}

std::vector<up_end::failed_unit> failed_units(handler_context context, const up_session& session) {
    std::vector<up_end::failed_unit> failed;
    for (const auto& unit : session.shown) {
        const auto status = context.units.registry().status(unit.name);
        if (status && status->state == ipc::unit_state::failed) failed.push_back({unit.name, status->detail});
    }
    return failed;
}

}  // namespace

up_session plan_up(handler_context context, unit_request request, pid_t by) {
    up_session session;
    add_exit_with(context, request, by, session);
    find_units(context, request, by, session);
    session.environment = std::move(request.environment);
    session.resumes = request.resume;
    session.token = std::move(request.token);
    session.mark = request.mark.value_or(mark_of(context, session));
    const bool is_lost = session.resumes && !context.units.registry().run_of(session.token);
    if (is_lost && session.exit_with_is_task) {
        throw failure(error_kind::unit_failed, cannot("end with", session.exit_with),
                      "its run was lost with the daemon", "hob runs " + session.exit_with);
    }
    const auto& last = session.exit_with;
    const bool is_listed = std::find(session.units.begin(), session.units.end(), last) != session.units.end();
    if (!last.empty() && !session.exit_with_is_task && !is_listed) session.units.push_back(last);
    std::vector<std::string> named = session.units;
    if (session.exit_with_is_task) named.push_back(last);
    context.units.registry().require_units("start", named);
    context.units.refuse_deadlock("start", named, by);
    if (!session.resumes)
        session.by_themselves =
            context.units.consent(request.units.empty() ? all_unit_names(context) : named, by);
    const auto started = context.units.registry().with_dependencies(named);
    for (const auto& name : started)
        session.shown.push_back(shown_unit(context, name, true));
    if (!request.units.empty()) return session;
    for (const auto& name : triggered_tasks(context)) {
        if (std::find(started.begin(), started.end(), name) == started.end())
            session.shown.push_back(shown_unit(context, name, false));
    }
    return session;
}

asio::awaitable<up_end> bring_up(handler_context context, up_session session) {
    unit::registry& registry = context.units.registry();
    const auto tried = std::make_shared<util::manual_reset_event>(context.daemon.executor());
    if (session.resumes) {
        tried->set();
    } else {
        util::spawn(context.daemon.executor(), start_all(context, session.units, session.environment, tried),
                    "up");
    }
    up_end end;
    if (session.exit_with_is_task) {
        co_await run_to_end(context, session, end);
    } else if (!session.exit_with.empty()) {
        co_await await_first_end(context, session, *tried, end);
    } else {
        co_await util::first_of(tried->wait(), registry.drain_begins());
        co_await registry.ended(registry.with_dependencies(session.units), !has_service(context, session));
    }
    end.shuts_down = context.daemon.draining();
    end.failed = failed_units(context, session);
    co_return end;
}

}  // namespace hob::cmd
