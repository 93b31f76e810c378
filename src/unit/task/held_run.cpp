// How a run outlives the daemon: what the keeper gets, and how the next daemon uses it.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/task/active_run.hpp"
#include "util/clock.hpp"
#include "util/json/json_text.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::system_clock;

}  // namespace

active_run::~active_run() {
    if (queued_key_.empty()) return;
    if (lifecycle::keeper_link* const keeper = context_->keeper()) keeper->drop(queued_key_);
}

std::string active_run::held_key() const { return std::string(held_run_prefix) + std::to_string(record_.id); }

run_order active_run::order() const {
    run_order order;
    order.unit = spec_->name;
    if (is_command()) order.command = spec_->run.argv;
    put_parameters(parameters_, order);
    return order;
}

// Its callers ask again for what a client or another unit wanted and has no number yet.
void active_run::remember_queued(std::optional<system_clock::time_point> due) {
    lifecycle::keeper_link* const keeper = context_->keeper();
    run_order wanted = order();
    if (!keeper || is_asked_for_again(wanted) || !queued_key_.empty()) return;
    if (due) wanted.due = util::ms_of(*due);
    queued_key_ = fmt::format("{}{}/{:020}", held_queued_prefix, spec_->name, ++context_->last_queued);
    keeper->hold_text(queued_key_, to_json(wanted));
}

// The keeper has the number before the database has the record, so that no record is without its run. With what
// it has, the next daemon can start the run.
void active_run::add_record() {
    lifecycle::keeper_link* const keeper = context_->keeper();
    if (!keeper) {
        record_.id = context_->runs.add(record_);
        return;
    }
    const bool known = record_.id != 0;
    if (!known) record_.id = context_->runs.next_id();
    if (!order_text_) order_text_ = lifecycle::text_file(held_key(), to_json(order()));
    const int input = parameters_.input_descriptor ? parameters_.input_descriptor->get() : -1;
    keeper->hold(held_key(), {{lifecycle::text_role, order_text_.get()}, {held_input_role, input}});
    if (!queued_key_.empty()) keeper->drop(std::exchange(queued_key_, {}));
    if (known && context_->runs.find(record_.id)) return;
    try {
        context_->runs.add(record_);
    } catch (const failure&) {
        keeper->drop(held_key());
        record_.id = 0;
        throw;
    }
}

held_process active_run::held_by_keeper(const run_ends& ends) const {
    held_process held;
    held.keeper = context_->keeper();
    if (!held.keeper) return held;
    held.key = held_key();
    held.descriptors = {{lifecycle::text_role, order_text_.get()}, {"output", ends.output.get()}};
    if (ends.error) held.descriptors.push_back({"error", ends.error.get()});
    if (ends.spool) held.descriptors.push_back({"spool", ends.spool->descriptor()});
    if (spec_->stop.run) held.descriptors.push_back({"stop", ends.child_error.get()});
    return held;
}

void active_run::remember() const {
    lifecycle::keeper_link* const keeper = context_->keeper();
    if (!keeper || record_.id == 0) return;
    run_progress progress;
    if (process_) progress.cgroup = name_of_cgroup(process_->cgroup());
    progress.cause = record_.cause;
    if (ended_by_) progress.ended_by = name_of(*ended_by_);
    if (!limit_.is_never()) progress.limit_ends = util::ms_of(system_clock::now() + limit_.remaining());
    progress.outlives_client = detached_;
    keeper->note(held_key(), to_json(progress));
}

// Its output is at its end: what still has it open gets SIGPIPE, as without a keeper. The spool has its size.
void active_run::drop_output() const {
    lifecycle::keeper_link* const keeper = context_->keeper();
    if (!keeper) return;
    keeper->hold(held_key(), {{lifecycle::text_role, order_text_.get()}, {"spool", io_->spool()}},
                 process_->pid());
}

void active_run::tell_of_end(const std::string& message) {
    if (adopted_ && log_.has_told(message, record_.id)) return;
    log_.write("hob", message + "\n", record_.id);
}

void active_run::forget() const {
    lifecycle::keeper_link* const keeper = context_->keeper();
    if (keeper && record_.id != 0) keeper->drop(held_key());
}

// ---- the next daemon ----

std::shared_ptr<active_run> active_run::adopt(std::shared_ptr<unit_context> context,
                                              std::shared_ptr<const unit_spec> spec, unit_log& log,
                                              const run_order& order, lifecycle::held_entry held) {
    const auto id = util::json_integer(std::string_view(held.key).substr(held_run_prefix.size()));
    auto run = make(std::move(context), std::move(spec), log, parameters_of(order));
    run->record_.id = id.value_or(0);
    run->order_text_ = held.take(lifecycle::text_role);
    if (auto input = held.take(held_input_role))
        run->parameters_.input_descriptor = std::make_shared<util::unique_fd>(std::move(input));
    const auto record = run->context_->runs.find(run->record_.id);
    if (record) run->record_ = *record;
    run->context_->note_token(order.token, run->record_.id);
    if (record && record->state != run_state::running) {
        run->resume_over();
        return run;
    }
    run->resume(held);
    if (order.by_client && !run->detached_)
        util::spawn(run->context_->options.executor, run->await_client(), "client of a run");
    return run;
}

void active_run::resume_over() {
    if (record_.signal) exit_ = exit_state{true, static_cast<int>(*record_.signal), false};
    if (record_.exit) exit_ = exit_state{false, static_cast<int>(*record_.exit), false};
    result_ = record_;
    begun_.set();
    done_.set();
}

void active_run::resume(lifecycle::held_entry& held) {
    const auto progress = parse_run_progress(held.note).value_or(run_progress());
    if (!progress.cause.empty()) record_.cause = progress.cause;
    ended_by_ = ipc::run_state_named(progress.ended_by);
    detached_ = progress.outlives_client;
    if (ended_by_) cancelled_.set();
    context_->active_runs[record_.id] = weak_from_this();
    if (held.pid <= 0) return;
    adopted_process process;
    process.spec = spec_;
    process.pid = held.pid;
    process.gate = held.take(gate_role);
    process.argv = spec_->run.argv;
    process.key = held_key();
    process.cgroup = progress.cgroup;
    process.terminal = parameters_.terminal.has_value();
    process.output = held.take("stop");
    try {
        if (spec_->stop.run || process.gate) process.environment = environment();
    } catch (const failure&) {
        process.output.reset();
    }
    process_ = std::make_unique<unit_process>(context_, std::move(process));
    if (progress.limit_ends > 0) {
        const milliseconds left(progress.limit_ends - util::ms_of(system_clock::now()));
        limit_ = util::deadline::in(std::max(left, milliseconds(0)));
    }
    run_ends ends;
    ends.output = held.take("output");
    ends.error = held.take("error");
    ends.terminal = parameters_.terminal.has_value();
    if (ends.terminal) ends.input.reset(::fcntl(ends.output.get(), F_DUPFD_CLOEXEC, 3));
    ends.spool = output_spool::adopt(held.take("spool"));
    knows_read_ = ends.spool != nullptr;
    if (ends.spool) log_.attach(record_.id, ends.spool);
    for (std::size_t which = 0; ends.spool && which < read_.size(); ++which)
        read_[which] = ends.spool->logged(which);
    adopted_ = true;
    io_ = run_io::make(context_->options.executor, std::move(ends), handlers());
    if (ended_by_) process_->request_stop();
}

// A client that does not come back has hung up.
asio::awaitable<void> active_run::await_client() {
    const auto self = shared_from_this();
    co_await util::pause(limits::client_return);
    if (!over() && !detached_ && !client_is_back_) cancel("its client did not come back");
}

}  // namespace hob::unit
