#include "unit/service/service_process.hpp"

#include <fmt/format.h>

#include <utility>

#include "limits.hpp"
#include "unit/config/expanded.hpp"
#include "unit/ports/taken_port.hpp"
#include "util/duration.hpp"
#include "util/log/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;

namespace {

asio::awaitable<void> await_end(unit_process& process) { co_await process.ended(); }

// `is_ready`: it became ready before it ended.
asio::awaitable<void> ready_or_ended(readiness_target target, unit_process& process, bool& is_ready) {
    is_ready = co_await util::first_of(await_ready(std::move(target)), await_end(process)) == 0;
}

// `limit` may be extended meanwhile.
asio::awaitable<void> pause_until(const util::deadline& limit) {
    while (!limit.expired())
        co_await util::pause(limit.remaining());
}

}  // namespace

// Of the next process, as the definition has it. Throws failure(unit_failed).
child_pipes service::make_pipes() {
    const auto with_terminal = terminal();
    if (!with_terminal && terminal_) std::exchange(terminal_, nullptr)->close();
    if (spec_->tty) {
        try {
            return child_pipes::terminal(with_terminal->size());
        } catch (const failure& why) {
            throw failure(error_kind::unit_failed, cannot("start", spec_->name), why.what(), why.hint());
        }
    }
    child_pipes pipes = spec_->output == output_streams::merged ? child_pipes::merged() : child_pipes();
    if (spec_->input == input_source::open) pipes.input = util::make_pipe();
    return pipes;
}

readiness_target service::target_of(const std::shared_ptr<service_process>& current, const ready_spec& wanted,
                                    attempt_failure& not_yet) {
    std::function<bool(pid_t)> belongs;
    if (!wanted.any_owner) belongs = [current](pid_t pid) { return current->process->contains(pid); };
    return {current->spec,
            wanted,
            current->environment,
            std::move(belongs),
            current->signalled,
            current->output,
            [current] { return current->lines->matches_partial_line(); },
            not_yet};
}

std::shared_ptr<service::service_process> service::launch() {
    auto launching = std::make_shared<service_process>(context_->options.executor);
    launching->environment = context_->environment_of(*spec_, caller_environment_);
    lives_.begin(*spec_, restarts_in_a_row_, launching->environment);
    launching->spec = expanded(spec_, launching->environment);
    launching->watchdog = launching->settings().watchdog;
    const ready_spec& ready = launching->settings().ready;
    const readiness_kind& kind = readiness_kind_of(ready);
    if (kind.output_pattern) launching->lines = std::make_unique<line_watch>(kind.output_pattern(ready));
    if (kind.notify_socket || launching->watchdog) open_notify_socket(launching);
    child_pipes pipes = make_pipes();
    if (keeper()) pipes.spool = output_spool::make();
    process_options options;
    options.spec = spec_;
    options.argv = spec_->run.argv;
    options.environment = launching->environment;
    options.input = pipes.input.read ? pipes.input.read.get() : -1;
    options.output = pipes.output.write.get();
    options.error = pipes.error_end();
    options.terminal = spec_->tty;
    options.held = held_by_keeper(pipes, launching->notify.get());
    remember(launching.get());
    launching->process = std::make_unique<unit_process>(context_, options);
    // Only probes use it from here on. With a thousand ports it has 32 KiB, and a thousand services may start
    // at once.
    if (!launching->settings().health && ready.form != ready_form::exec) launching->forget_environment();
    log_.clear_tail();
    capture_output(launching, std::move(pipes));
    return launching;
}

void service::capture_output(const std::shared_ptr<service_process>& launched, child_pipes pipes) {
    if (spec_->tty) launched->slave = std::move(pipes.output.write);
    pipes.close_child_ends();
    if (pipes.spool) log_.attach(lives_.id(), pipes.spool);
    const std::weak_ptr<service> weak_service = self();
    const std::weak_ptr<service_process> weak_process = launched;
    const auto capture = [weak_service, weak_process](std::string_view stream, std::string_view bytes) {
        const auto owner = weak_service.lock();
        const auto current = weak_process.lock();
        if (!owner || !current) return;
        owner->look_for_readiness(*current, stream, bytes);
        owner->log_.write(stream, bytes, owner->lives_.id());
        owner->lives_.wrote(bytes.size());
        if (current->terminal) current->terminal->output(bytes);
    };
    process_io::handlers on;
    on.output = [capture](std::string_view bytes) { capture("stdout", bytes); };
    on.error = [capture](std::string_view bytes) { capture("stderr", bytes); };
    launched->io = process_io::make(context_->options.executor, std::move(pipes), std::move(on));
    launched->terminal = terminal();
    if (launched->terminal) launched->terminal->connect(launched->io, spec_->tty);
}

// Before the bytes are logged: after a death in between, the next daemon sees them again.
void service::look_for_readiness(service_process& current, std::string_view stream, std::string_view bytes) {
    if (!current.lines) return;
    if (current.lines->feed(stream, bytes) && !current.signalled.is_set()) {
        current.signalled.set();
        remember();
    }
    current.output.ring();
}

void service::end_output() {
    log_.end("stdout", lives_.id());
    log_.end("stderr", lives_.id());
    log_.detach(lives_.id());
}

service::process_end service::launch_failed(const failure& why) {
    util::log(level::warning, "unit", "service did not start",
              {field("unit", spec_->name), field("reason", why.what())});
    if (process_) {
        process_->io->abandon();
        process_->disconnect();
        process_->ended = true;
        process_.reset();
    }
    detail_ = why.reason();
    last_exit_.reset();
    ++ends_;
    process_end last;
    last.failed = true;
    last.reason = detail_;
    if (lives_.id() == 0) lives_.begin(*spec_, restarts_in_a_row_, {});
    end_output();
    life_recorder::end_of_life how;
    how.reason = detail_;
    lives_.end(*spec_, how);
    return last;
}

asio::awaitable<service::process_end> service::run_process() {
    clear_kill_report();
    change_loop_.started();
    port_taken_.reset();
    set_state(unit_state::starting);
    try {
        process_ = launch();
        remember();
        co_await await_launch(process_);
    } catch (const failure& problem) {
        co_return launch_failed(problem);
    }
    remember();
    if (context_->options.changed) context_->options.changed();
    const auto current = process_;
    co_return co_await keep_process(current);
}

void service::became_ready(service_process& current) {
    current.was_ready = true;
    // Only a health probe uses it from here on.
    if (!current.settings().health) current.forget_environment();
    ++times_ready_;
    lives_.ready();
    set_state(unit_state::ready);
    context_->became_ready(spec_->name, {});
}

asio::awaitable<service::process_end> service::keep_process(std::shared_ptr<service_process> current) {
    bool is_ready = current->was_ready && !current->process->stop_requested();
    if (!is_ready && co_await await_readiness(current)) {
        became_ready(*current);
        is_ready = true;
    }
    if (is_ready) {
        if (current->notify)
            util::spawn(context_->options.executor, enforce_watchdog(current), "watchdog " + spec_->name);
        if (current->settings().health) {
            co_await util::first_of(await_end_of_ready(current), check_health(current));
        } else {
            co_await await_end_of_ready(current);
        }
    }
    co_return co_await finish(current);
}

// A service that stays ready for backoff.reset has ended its streak of restarts.
asio::awaitable<void> service::await_end_of_ready(std::shared_ptr<service_process> current) {
    if (restarts_in_a_row_ > 0) {
        const auto reset = current->settings().backoff.reset;
        if (co_await util::first_of(await_end(*current->process), util::pause(reset)) == 0) co_return;
        reset_backoff();
        if (context_->options.changed) context_->options.changed();
    }
    co_await current->process->ended();
}

// Until the program runs, or is to be ended. Throws failure(unit_failed).
asio::awaitable<void> service::await_launch(std::shared_ptr<service_process> current) {
    const ready_spec& ready = current->settings().ready;
    const readiness_kind& kind = readiness_kind_of(ready);
    const auto minimum = kind.minimum ? kind.minimum(ready) : milliseconds(0);
    current->start_limit = util::deadline::in(ready.timeout + minimum);
    const auto first =
        co_await util::first_of(current->process->launched(), pause_until(current->start_limit));
    if (first == 0 || current->process->stop_requested()) co_return;
    current->failure_reason =
        fmt::format("it was not ready within {}: {}", util::format_duration(ready.timeout),
                    current->process->blocked_by());
    current->process->request_stop();
}

// False: it has ended, or is asked to end, or is ended now because it was not ready in time.
asio::awaitable<bool> service::await_readiness(std::shared_ptr<service_process> current) {
    if (current->process->stop_requested()) co_return false;
    const ready_spec& ready = current->settings().ready;
    const readiness_kind& kind = readiness_kind_of(ready);
    readiness_target target = target_of(current, ready, current->not_yet);
    const auto minimum = kind.minimum ? std::optional(kind.minimum(ready)) : std::nullopt;
    bool is_ready = false;
    const auto first = co_await util::first_of(ready_or_ended(std::move(target), *current->process, is_ready),
                                               pause_until(current->start_limit));
    current->lines.reset();
    if (current->process->stop_requested()) co_return false;
    if (is_ready && minimum == milliseconds(0)) co_return true;
    // An end that was seen late, by a busy daemon, counts as if it had been seen at once.
    if (current->process->poll()) co_return false;
    if (first == 0) co_return true;
    current->failure_reason =
        fmt::format("it was not ready within {}{}", util::format_duration(ready.timeout),
                    current->not_yet.why.empty() ? "" : ": " + current->not_yet.why);
    current->process->request_stop();
    co_return false;
}

// The process has ended, or is to be ended: reads its last output and ends what it left behind.
asio::awaitable<service::process_end> service::finish(std::shared_ptr<service_process> current) {
    const bool requested = current->process->stop_requested() && current->failure_reason.empty();
    set_state(unit_state::stopping);
    std::optional<exit_state> exit = current->process->poll();
    if (!requested && exit && !exit->signalled && exit->number == 0)
        co_await note_background_process(*current);
    exit = co_await current->process->end();
    co_await current->io->finish();
    end_output();
    drop_output();
    current->disconnect();
    current->ended = true;
    current->watchdog_changed.ring();
    if (current->notify) current->notify->close();
    last_exit_ = exit;
    ++ends_;
    const std::string how = end_text(exit);
    util::log(requested ? level::info : level::warning, "unit", "service ended",
              {field("unit", current->spec->name), field("pid", current->process->pid()), field("how", how)});
    if (!current->failure_reason.empty()) {
        util::log(level::warning, "unit", "service was ended because it failed",
                  {field("unit", current->spec->name), field("reason", current->failure_reason)});
        tell_of_end(*current, current->failure_reason);
    }
    tell_of_end(*current, fmt::format("the service {}", how));
    stop_report report = co_await current->process->clean_up();
    if (!report.text().empty()) tell_of_end(*current, report.text());
    log_.end("hob", lives_.id());
    if (!requested) report.killed.clear();
    set_stop_report(std::move(report));
    process_end last = judge(*current, exit.value_or(exit_state{}));
    last.requested = requested;
    if (requested) last.failed = false;
    if (last.failed) note_taken_port(*current, last.reason);
    life_recorder::end_of_life ended;
    ended.exit = exit;
    ended.used = current->process->used();
    ended.requested = requested;
    if (last.failed) ended.reason = last.reason;
    lives_.end(*current->spec, ended);
    process_.reset();
    detail_ = requested ? std::string() : last.reason;
    co_return last;
}

// A program that puts itself into the background exits with 0 and leaves the real process behind. Children
// that only end a little later than their parent do not count.
asio::awaitable<void> service::note_background_process(service_process& current) {
    co_await wait_gone(current.process->tree(), util::deadline::in(limits::ready_delay));
    const auto left = current.process->tree();
    if (left.empty() || !current.failure_reason.empty()) co_return;
    const auto process = util::read_proc_stat(left.front().pid);
    current.failure_reason = fmt::format(
        "it put itself into the background: it exited with status 0 and left pid {}{}; run it in the "
        "foreground",
        left.front().pid, process ? fmt::format(" ({})", process->comm) : "");
}

// A program that cannot listen does not say who has its port.
void service::note_taken_port(const service_process& current, std::string& reason) {
    if (!current.failure_reason.empty()) {
        port_taken_ = current.not_yet.port_taken;  // the reason names it
        return;
    }
    const ready_spec& ready = current.settings().ready;
    const readiness_kind& kind = readiness_kind_of(ready);
    const auto belongs = [&](pid_t pid) { return current.process->contains(pid); };
    port_taken_ =
        find_port_user(log_.tail(limits::stderr_tail_bytes), kind.port ? kind.port(ready) : 0, belongs);
    if (port_taken_)
        reason += fmt::format("; port {} is taken by {}", port_taken_->port, port_taken_->text());
}

// The verdict on an end that nobody requested.
service::process_end service::judge(const service_process& current, const exit_state& exit) const {
    process_end last;
    last.failed = true;
    last.reason = current.failure_reason;
    if (!last.reason.empty()) return last;
    const bool clean = !exit.signalled && exit.number == 0;
    const bool too_early = !current.was_ready;
    last.failed = !clean || too_early;
    last.reason = exit_text(exit);
    // Without `ready` nothing but the exit explains a failed start, except that a clean exit needs an
    // explanation.
    const bool by_default = current.settings().ready.form == ready_form::started;
    if (too_early && (clean || !by_default)) last.reason += " before it was ready";
    return last;
}

}  // namespace hob::unit
