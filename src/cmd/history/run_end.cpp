#include "cmd/history/run_end.hpp"

#include <chrono>

#include "cmd/history/run_history.hpp"
#include "error.hpp"
#include "exit_code.hpp"
#include "lifecycle/connect.hpp"
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
    for (;;) {
        auto daemon = lifecycle::connect_looking(call.where(), call.limit_or(limits::request_timeout));
        if (!daemon) return record_of_ended_run(call, id);
        try {
            return daemon->call("run.wait", wait_params(id), call.limit);
        } catch (const ipc::not_executed&) {
            if (call.limit.expired())
                throw failure(error_kind::timeout, cannot("wait for run", std::to_string(id)),
                              "the deadline is over");
        }
    }
}

run_end_watch::run_end_watch(invocation& call, const unit::run_record& run) {
    if (run.state != unit::run_state::running) return;
    daemon_ = lifecycle::connect_looking(call.where(), call.limit_or(limits::request_timeout));
    if (daemon_) daemon_->send(ipc::request_line("1", "run.wait", wait_params(run.id)));
}

bool run_end_watch::ended() {
    try {
        while (daemon_) {
            const auto message = daemon_->next(util::deadline::in(std::chrono::milliseconds(0)));
            if (!message || message->id == "1") daemon_.reset();
        }
    } catch (const failure& why) {
        if (why.kind() != error_kind::timeout) throw;
        return false;
    }
    return true;
}

}  // namespace hob::cmd
