// A worker before another program takes over in the daemon's process: what the keeper gets, and its end where
// it cannot go on.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "unit/protocol/carried.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/worker/worker_process.hpp"
#include "unit/worker/worker_record.hpp"
#include "util/clock.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr auto unwinding = milliseconds(500);  // of calls that were given up

failure lost(const char* verb, const std::string& name) {
    return failure(error_kind::daemon_lost, cannot(verb, name), "another program takes over from this daemon",
                   "repeat the command");
}

}  // namespace

bool worker::is_used() const {
    return calls_ > 0 || starts_requested_ > 0 || !settled_.is_set() ||
           (process_ && !process_->attachments.empty());
}

asio::awaitable<void> worker::until_unused() {
    while (is_used())
        co_await changes().wait();
}

bool worker::is_at_rest() const { return !is_used() && (!process_ || process_->calls->waiting() == 0); }

// Requests that are left are cancelled, as at their own limit, and so are those that no call waits for.
asio::awaitable<void> worker::hand_over(util::deadline limit) {
    const auto alive = self();
    if (process_) process_->end_attachments(lost("attach", spec_->name));
    co_await util::within(limit.remaining(), until_unused());
    if (!is_at_rest() && process_) {
        const failure why = lost("call", spec_->name);
        process_->calls->give_up_waiting(why);
        events_.fail_all(why);
        co_await util::within(unwinding, until_unused());
    }
    const auto process = process_;
    if (process) {
        const bool goes_on = co_await freeze(process);
        if (goes_on) co_return;
    }
    if (process_) co_await end_before_successor(process_);
    hold({}, {}, {});
}

// Why it is stopped; empty: its process and conversation can go on.
std::string worker::fault_of_handover(const worker_process& process) const {
    if (!context_->keeper()) return "there is no keeper";
    if (!is_at_rest() || state() != unit_state::warm) return "it is not at rest";
    if (process.phase != worker_phase::open || process.main_process->stop_requested()) return "it is ending";
    if (process.input_closed || process.main_process->poll()) return "it has ended";
    if (!process.programs.empty()) return "it runs further programs";
    if (definition_changed()) return "its definition has changed";
    return {};
}

// False: it is to be stopped.
asio::awaitable<bool> worker::freeze(process_ptr process) {
    const auto of = process->protocol.session;
    std::string fault = fault_of_handover(*process);
    if (fault.empty() && !of->state_for_successor()) fault = "its conversation cannot be gone on with";
    if (fault.empty()) {
        const frozen_io io = co_await process->io->freeze();
        fault = fault_of_handover(*process);
        auto session = of->state_for_successor();
        if (fault.empty() && session && hold(process, io, std::move(*session))) {
            process->handed_over = true;
            co_return true;
        }
        if (process_ == process) kill_now();
    }
    util::log(util::level::info, "unit", "a worker cannot go on with another program",
              {util::field("unit", spec_->name),
               util::field("reason", fault.empty() ? "its state cannot be told exactly" : fault)});
    co_return false;
}

asio::awaitable<void> worker::end_before_successor(process_ptr process) {
    request_stop("another program takes over from this daemon");
    const auto limit = util::deadline::in(process->spec().stop.timeout);
    while (process_ == process && !limit.expired())
        co_await util::within(limit.remaining(), settled_.wait());
    if (process_ != process) co_return;
    kill_now();
    while (process_ == process)
        co_await settled_.wait();
}

worker_record worker::record_without_process() const {
    worker_record record;
    record.state = name_of(state());
    record.since = util::ms_of(since());
    record.restarts = restarts_;
    if (last_exit_) {
        record.exit = last_exit_->number;
        record.exit_by_signal = last_exit_->signalled;
        record.exit_with_core = last_exit_->core;
        record.killed_for = last_exit_->killed_for;
    }
    record.died = died_;
    record.failure_reported = failure_reported_;
    record.has_environment = caller_environment_.has_value();
    if (caller_environment_) record.environment = pack(*caller_environment_);
    record.last_id = static_cast<std::int64_t>(last_id_);
    record.activity = activity_;
    return record;
}

// False: it cannot be told exactly.
bool worker::describe(const worker_process& process, const frozen_io& io, worker_record& record) const {
    auto framing = process.protocol.framing->take_state();
    if (!framing) return false;
    record.definition = definition_digest(*process.definition);
    record.started_with = definition_digest(process.spec());
    record.cgroup = process.main_process->cgroup();
    record.protocol = process.protocol.record->name;
    record.address = process.address;
    record.framing = std::move(*framing);
    record.unwritten = util::base64_encode(io.unwritten);
    record.last_words = util::base64_encode(log_.remembered());
    record.unfinished_output = util::base64_encode(log_.unfinished("stdout", 0));
    record.unfinished_error = util::base64_encode(log_.unfinished("stderr", 0));
    record.capabilities = process.handshake_result;
    for (const auto id : process.calls->ignored())
        record.ignored.push_back(std::to_string(id));
    record.last_used = process.calls->last_used().time_since_epoch().count();
    record.noise_lines = static_cast<std::int64_t>(process.noise_lines);
    record.unexpected_answers = static_cast<std::int64_t>(process.unexpected_answers);
    return true;
}

// `process` may be null. False: its state cannot be told exactly, and the keeper was not told.
bool worker::hold(const process_ptr& process, const frozen_io& io, carried_session session) {
    lifecycle::keeper_link* const link = context_->keeper();
    auto events = events_.state();
    worker_record record = record_without_process();
    if (process && !describe(*process, io, record)) return false;
    if (!link || !events) return false;
    record.events = std::move(*events);
    record.session = std::move(session.json);
    const auto text = to_json(record);
    if (!text) return false;
    const util::unique_fd file = lifecycle::text_file(spec_->name, *text);
    if (!file) return false;
    std::vector<lifecycle::held_descriptor> descriptors{{lifecycle::text_role, file.get()}};
    worker_note note{carried_version, 0, 0};
    if (process) {
        note.pid = process->main_process->pid();
        note.start_time = static_cast<std::int64_t>(process->main_process->start_time());
        descriptors.insert(descriptors.end(), {{"input", io.input},
                                               {"output", io.output},
                                               {"error", io.error},
                                               {"connection", io.connection},
                                               {"stop", process->main_process->stop_output()},
                                               {"inotify", session.inotify.get()}});
    }
    link->hold(std::string(held_worker_prefix) + spec_->name, descriptors, 0, to_json(note));
    return true;
}

}  // namespace hob::unit
