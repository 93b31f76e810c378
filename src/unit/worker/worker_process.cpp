#include "unit/worker/worker_process.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "limits.hpp"
#include "unit/config/expanded.hpp"
#include "unit/ports/taken_port.hpp"
#include "unit/worker/last_words.hpp"
#include "util/duration.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

// Until the timer expires or is cancelled.
asio::awaitable<void> wait_quietly(util::timer& timer) {
    boost::system::error_code cancelled;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

}  // namespace

void worker::start_process() {
    activity_.clear();
    clear_kill_report();
    port_taken_.reset();
    set_state(unit_state::starting);
    try {
        process_ = make_process();
    } catch (const failure& why) {
        log(level::warning, "unit", "worker did not start",
            {field("unit", spec_->name), field("reason", why.what())});
        set_state(unit_state::failed);
        call_on_failure(why.reason());
        throw;
    }
    if (std::exchange(died_, false)) ++restarts_;
    if (context_->options.changed) context_->options.changed();
    util::spawn(context_->options.executor, run_process(process_), "worker " + spec_->name);
}

// From the launch to the end.
asio::awaitable<void> worker::run_process(process_ptr process) {
    const auto alive = self();
    const bool executed = co_await launched(process);
    if (!executed) co_return;
    if (process->main_process->stop_requested()) {
        process->handshake_done.set();
    } else {
        begin_session(process);
    }
    co_await supervise(process);
}

// Until the program runs, or is to be ended. False: it could not be executed, and nothing of it is left.
asio::awaitable<bool> worker::launched(process_ptr process) {
    const cannot start("start", spec_->name);
    try {
        const bool in_time =
            co_await util::within(limits::handshake_timeout, process->main_process->launched());
        if (in_time) co_return true;
        process->start_failure = failure(
            error_kind::timeout, start,
            fmt::format("it was not started within {}: {}", util::format_duration(limits::handshake_timeout),
                        process->main_process->blocked_by()));
        request_stop("it could not be started in time");
        co_return true;
    } catch (const failure& why) {
        process->start_failure = why;
    }
    log(level::warning, "unit", "worker did not start",
        {field("unit", spec_->name), field("reason", process->start_failure->what())});
    process->io->abandon();
    process->phase = worker_phase::over;
    process->ended.set();
    process_.reset();
    set_state(unit_state::failed);
    process->handshake_done.set();
    co_return false;
}

// The program runs: its handshake, if it has one, and then calls.
void worker::begin_session(const process_ptr& process) {
    const auto& executor = context_->options.executor;
    if (process->protocol.record->handshake || worker_spec_of(process->spec()).connect) {
        util::spawn(executor, run_handshake(process), "handshake of " + spec_->name);
    } else {
        process->phase = worker_phase::open;
        process->handshake_done.set();
        set_state(unit_state::warm);
    }
    if (worker_spec_of(process->spec()).idle_timeout) {
        util::spawn(executor, watch_idle(process), "idle " + spec_->name);
    }
}

worker::process_ptr worker::make_process() {
    auto made = std::make_shared<worker_process>(*this);
    memory_.bind(*spec_);
    made->protocol = instantiate(*own_spec().protocol);
    child_pipes pipes = own_spec().connect ? child_pipes() : child_pipes::with_input();
    if (spec_->tty) pipes.use_terminal_for_output();
    process_options options;
    options.spec = spec_;
    options.argv = spec_->run.argv;
    options.environment = context_->environment_of(*spec_, caller_environment_);
    made->definition = spec_;
    made->started_with = expanded(spec_, options.environment);
    options.input = pipes.input.read.get();
    options.output = pipes.output.write.get();
    options.error = pipes.error.write.get();
    made->main_process = std::make_unique<unit_process>(context_, options);
    log_.clear_tail();
    connect_pipes(made, std::move(pipes));
    return made;
}

void worker::connect_pipes(const process_ptr& process, child_pipes pipes) {
    if (pipes.input.write) process->watched_input.emplace(pipes.input.write.get());
    pipes.close_child_ends();
    // process_io::finish and abandon drop the handlers before the process is over. Only when the daemon is
    // torn down in the middle do the handlers outlive the worker: therefore weak pointers.
    const auto handler = [owner = std::weak_ptr(self()), current = std::weak_ptr(process)](auto handle) {
        return [owner, current, handle](auto... arguments) {
            const auto alive = owner.lock();
            const auto locked = current.lock();
            if (alive && locked) handle(*alive, locked, arguments...);
        };
    };
    const auto messages = [](worker& of, const process_ptr& from, std::string_view bytes) {
        of.on_output(*from, bytes);
    };
    const auto printing = [](const char* stream) {
        return [stream](worker& of, const process_ptr& from, std::string_view bytes) {
            of.on_printed(*from, stream, bytes);
        };
    };
    process_io::handlers on;
    const auto& listens = own_spec().connect;
    if (listens) {
        if (!listens->log_pattern.empty())
            process->address_watch = std::make_unique<line_watch>(listens->log_pattern);
        on.connection = handler(messages);
        on.output = handler(printing("stdout"));
    } else {
        on.output = handler(messages);
    }
    on.error = handler(printing("stderr"));
    on.input_closed = handler([](worker& of, const process_ptr& from) {
        from->input_closed = true;
        util::spawn(from->executor(), of.watch_closed_input(from), "input " + from->spec().name);
    });
    process->io = process_io::make(process->executor(), std::move(pipes), std::move(on));
    process->calls = std::make_shared<pending_calls>(
        process->executor(), process->spec().name, process->protocol, last_id_,
        [io = process->io](std::string bytes) { return io->send(std::move(bytes)); });
    process->mutexes = std::make_shared<call_mutexes>(process->executor());
}

asio::awaitable<std::string> worker::open_session(process_ptr process) {
    if (worker_spec_of(process->spec()).connect) {
        co_await connect(process);
    }
    co_return co_await process->protocol.session->start(*process);
}

// Returns why it failed.
asio::awaitable<std::optional<failure>> worker::handshake(process_ptr process) {
    const cannot start("start", process->spec().name);
    try {
        auto result = co_await util::within(limits::handshake_timeout, open_session(process));
        if (!result) {
            co_return failure(error_kind::timeout, start,
                              fmt::format("no answer to its handshake within {}",
                                          util::format_duration(limits::handshake_timeout)));
        }
        process->set_capabilities(std::move(*result));
        co_return std::nullopt;
    } catch (const failure& why) {
        co_return why;
    } catch (const std::exception& why) {
        co_return failure(error_kind::internal, start, why.what());
    }
}

// The handshake belongs to the process, not to the call that started it.
asio::awaitable<void> worker::run_handshake(process_ptr process) {
    const auto alive = self();
    const std::optional<failure> failed = co_await handshake(process);
    if (failed) {
        if (!process->protocol.session->wants_restart()) process->start_failure = failed;
        log(level::warning, "unit", "the handshake of a worker failed",
            {field("unit", process->spec().name), field("reason", failed->what())});
    } else if (process->phase == worker_phase::opening) {
        process->phase = worker_phase::open;
    }
    process->handshake_done.set();
    if (process_ != process || state() != unit_state::starting) co_return;
    if (failed) {
        request_stop("its handshake failed");
    } else {
        set_state(unit_state::warm);
    }
}

asio::awaitable<void> worker::supervise(process_ptr process) {
    std::optional<exit_state> exit = co_await process->main_process->ended();
    if (process->handed_over) {
        co_await process->taken_back.wait();
    }
    if (process->main_process->stop_requested()) exit = co_await stop_gracefully(process);
    co_await finish(process, exit);
}

// First the goodbye of the protocol, then the end of its input and the stop signal.
asio::awaitable<std::optional<exit_state>> worker::stop_gracefully(process_ptr process) {
    process->calls->close_to_callers(stopped_failure("call"));
    process->end_attachments(stopped_failure("attach"));
    const auto limit = util::deadline::in(process->spec().stop.timeout);
    const bool open = process->phase == worker_phase::open;
    if (open && process->protocol.record->goodbye && !process->main_process->kill_requested()) {
        co_await say_goodbye(process);
    }
    process->calls->close(stopped_failure("call"));
    process->io->close_input();
    co_return co_await process->main_process->end(limit);
}

// For at most half of the stop timeout; as long again for the process to end by itself.
asio::awaitable<void> worker::say_goodbye(process_ptr process) {
    process->phase = worker_phase::goodbye;
    const auto session = process->protocol.session;
    const auto half = process->spec().stop.timeout / 2;
    try {
        const auto first = co_await util::within(
            half, util::first_of(session->stop(*process), process->main_process->gone()));
        if (first && *first == 0) {
            co_await util::within(half, process->main_process->gone());
        }
    } catch (const std::exception& why) {
        log(level::info, "unit", "the goodbye of a worker failed",
            {field("unit", process->spec().name), field("reason", why.what())});
    }
}

void worker::request_stop(const char* why) {
    if (!process_) return;
    const bool handed_over = std::exchange(process_->handed_over, false);
    const bool first = process_->main_process->request_stop();
    if (handed_over) process_->take_back();
    if (!first) return;
    log(level::info, "unit", "worker is stopped",
        {field("unit", spec_->name), field("reason", why), field("pid", process_->main_process->pid())});
    set_state(unit_state::stopping);
}

void worker::kill_now() {
    if (!process_) return;
    request_stop("killed");
    process_->main_process->kill_now();
}

// After the end of the main process: reads its last output, fails its callers, ends what it left behind.
asio::awaitable<void> worker::finish(process_ptr process, std::optional<exit_state> exit) {
    const bool stopped = process->main_process->stop_requested();
    set_state(unit_state::stopping);
    if (!stopped && !process->main_process->tree().empty()) co_await end_children(process);
    co_await process->io->finish();
    if (!process->ended.is_set()) end_conversation(process, exit);
    // A handshake that still runs fails now. Wait for it: it decides whether the worker is restarted.
    co_await util::within(limits::reap_timeout, process->handshake_done.wait());
    const bool restart = process->protocol.session->wants_restart();
    died_ = !stopped && !restart;
    activity_.clear();
    log(stopped ? level::info : level::warning, "unit", "worker ended",
        {field("unit", process->spec().name), field("pid", process->main_process->pid()),
         field("how", end_text(exit))});
    log_.write("hob", fmt::format("the worker {}\n", end_text(exit)));
    process->programs.clear();
    stop_report report = co_await process->main_process->clean_up();
    if (!report.text().empty()) log_.write("hob", report.text() + "\n");
    if (!stopped) report.killed.clear();
    set_stop_report(std::move(report));
    process->phase = worker_phase::over;
    process->idle_timer.cancel();
    process->closed_input_timer.cancel();
    process_.reset();
    const bool clean = exit && !exit->signalled && exit->number == 0;
    const bool well = (stopped || restart || clean) && !process->start_failure;
    set_state(well ? unit_state::cold : unit_state::failed);
    if (!well) {
        call_on_failure(process->start_failure ? process->start_failure->reason()
                                               : fmt::format("the worker {}", end_text(exit)));
    }
}

// The process has ended by itself and left others. Its callers need not wait for their end; its output is
// read until then.
asio::awaitable<void> worker::end_children(process_ptr process) {
    co_await process->catch_up();
    end_conversation(process, process->main_process->poll());
    co_await process->main_process->end();
}

// Takes in the last message, then tells everybody who waits for the process that it has ended.
void worker::end_conversation(const process_ptr& process, std::optional<exit_state> exit) {
    if (auto partial = process->protocol.framing->last(); partial && !partial->oversized)
        on_frame(*process, partial->line);
    log_.end("stdout");
    log_.end("stderr");
    last_exit_ = exit;
    note_taken_port(*process);
    const failure death = death_failure(exit);
    const failure why = process->main_process->stop_requested() ? stopped_failure("call") : death;
    process->calls->close(why);
    process->ended.set();
    process->end_attachments(death);
    process->protocol.session->on_process_end();
    events_.fail_all(why);
}

asio::awaitable<void> worker::watch_idle(process_ptr process) {
    const auto alive = self();
    const auto limit = *worker_spec_of(process->spec()).idle_timeout;
    while (!process->over() && !process->handed_over && !process->main_process->stop_requested()) {
        const bool in_use = calls_ > 0 || process->calls->waiting() > 0 || !process->attachments.empty();
        const auto idle_since = in_use ? std::chrono::steady_clock::now() : process->calls->last_used();
        if (std::chrono::steady_clock::now() - idle_since >= limit) {
            request_stop("idle");
            co_return;
        }
        process->idle_timer.expires_at(idle_since + limit);
        co_await wait_quietly(process->idle_timer);
    }
}

// The end of the process usually follows, and says more. A process that lives on without reading is of no
// use.
asio::awaitable<void> worker::watch_closed_input(process_ptr process) {
    const auto alive = self();
    process->closed_input_timer.expires_after(limits::reap_timeout);
    co_await wait_quietly(process->closed_input_timer);
    if (process->over() || process_ != process) co_return;
    if (!worker_spec_of(process->spec()).connect) {
        request_stop("it reads no requests any more");
        co_return;
    }
    const failure cut(error_kind::worker_died, cannot("call", spec_->name), "its connection has ended");
    process->calls->close_to_callers(cut);
    events_.fail_all(cut);
    process->phase = worker_phase::disconnected;
    request_stop("its connection has ended");
}

// A program that cannot listen does not say who has its port.
void worker::note_taken_port(const worker_process& process) {
    if (process.main_process->stop_requested()) return;
    const auto& connect = worker_spec_of(process.spec()).connect;
    const auto belongs = [&](pid_t pid) { return process.main_process->contains(pid); };
    port_taken_ = find_port_user(log_.tail(limits::stderr_tail_bytes), connect ? connect->port : 0, belongs);
}

failure worker::stopped_failure(const char* verb) const {
    return failure(error_kind::cancelled, cannot(verb, spec_->name), "it was stopped meanwhile");
}

// "; port 80 is taken by pid 12 (nginx)"
std::string worker::taken_text() const {
    if (!port_taken_) return {};
    return fmt::format("; port {} is taken by {}", port_taken_->port, port_taken_->text());
}

failure worker::death_failure(const std::optional<exit_state>& exit) const {
    const auto tail = log_.tail();
    util::json_array lines;
    for (const auto& line : tail)
        lines.add(line);
    util::json_object detail;
    if (exit) detail.add("exit", exit_brief(*exit));
    detail.add("stderr", lines);
    std::string hint;
    if (!tail.empty())
        hint = fmt::format("its last words: {}", last_words(log_.tail(limits::stderr_tail_bytes)));
    return failure(error_kind::worker_died, cannot("call", spec_->name),
                   fmt::format("the worker {}{}", end_text(exit), taken_text()), std::move(hint),
                   std::move(detail).text());
}

}  // namespace hob::unit
