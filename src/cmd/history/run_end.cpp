#include "cmd/history/run_end.hpp"

#include <chrono>

#include "cmd/history/run_history.hpp"
#include "error.hpp"
#include "exit_code.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

std::string wait_params(std::int64_t id) { return util::json_object().add("run", id).text(); }

// Without a daemon no run is active.
std::string record_of_ended_run(invocation& call, std::int64_t id) {
    auto run = find_run_record(call, id);
    if (!run) throw no_such_run(call, cannot("wait for run", std::to_string(id)), id);
    if (run->state == unit::run_state::running) run->state = unit::run_state::lost;
    return unit::run_json(*run, call.where().log_dir());
}

}  // namespace

int exit_status_of_run(std::string_view record_json) {
    const std::string record(record_json);
    if (const auto signal = util::json_find_integer(record, {"signal"}))
        return 128 + static_cast<int>(*signal);
    const auto status = util::json_find_integer(record, {"exit"});
    return static_cast<int>(status.value_or(static_cast<int>(exit_code::run_failed)));
}

std::string wait_for_run(invocation& call, std::int64_t id) {
    const std::string params = wait_params(id);
    const lifecycle::request wanted{
        .method = "run.wait", .params = params, .again = params, .reply_limit = call.limit};
    try {
        auto record =
            lifecycle::request_looking(call.where(), call.limit_or(limits::request_timeout), wanted);
        if (record) return std::move(*record);
    } catch (const failure& why) {
        const bool none_goes_on = why.kind() == error_kind::daemon_lost &&
                                  lifecycle::query_lock(call.where().pid_path()).state ==
                                      lifecycle::lock_state::free;
        if (!none_goes_on) throw;
    }
    return record_of_ended_run(call, id);
}

run_end_watch::run_end_watch(invocation& call, const unit::run_record& run)
    : call_(call), run_(run.id), lost_(call.where()) {
    if (run.state != unit::run_state::running) return;
    daemon_ = lifecycle::connect_looking(call.where(), call.limit_or(limits::request_timeout));
    ask();
}

void run_end_watch::ask() {
    while (daemon_) {
        try {
            return daemon_->send(ipc::request_line("1", "run.wait", wait_params(run_)));
        } catch (const ipc::not_executed&) {
            next_daemon();
        }
    }
}

void run_end_watch::next_daemon() {
    lost_.add();
    lifecycle::next_options options;
    options.limit = call_.limit;
    daemon_ = lifecycle::connect_next(call_.where(), options);
}

bool run_end_watch::ended() {
    try {
        while (daemon_) {
            const auto message = daemon_->next(util::deadline::in(std::chrono::milliseconds(0)));
            if (!message) {
                next_daemon();
                ask();
            } else if (message->id == "1") {
                daemon_.reset();
            }
        }
    } catch (const failure& why) {
        if (why.kind() != error_kind::timeout) throw;
        return false;
    }
    return true;
}

}  // namespace hob::cmd
