// One process of a worker: its start, its handshake and its end.
#include "unit/worker/worker_process.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "limits.hpp"
#include "unit/process/on_failure.hpp"
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
    const auto& executor = context_->options.executor;
    if (process_->protocol.record->handshake || own_spec().connect) {
        util::spawn(executor, run_handshake(process_), "handshake of " + spec_->name);
    } else {
        process_->phase = worker_phase::open;
        process_->handshake_done.set();
        set_state(unit_state::warm);
    }
    util::spawn(executor, supervise(process_), "worker " + spec_->name);
    if (own_spec().idle_timeout) {
        util::spawn(executor, watch_idle(process_), "idle " + spec_->name);
    }
}

worker::process_ptr worker::make_process() {
    auto made = std::make_shared<worker_process>(*this);
    made->started_with = spec_;
    memory_.bind(*spec_);
    made->protocol = instantiate(*own_spec().protocol);
    child_pipes pipes = own_spec().connect ? child_pipes() : child_pipes::with_input();
    process_options options;
    options.spec = spec_;
    options.argv = spec_->run.argv;
    options.environment = context_->environment_of(*spec_, caller_environment_);
    options.input = pipes.input.read.get();
    options.output = pipes.output.write.get();
    options.error = pipes.error.write.get();
    made->main_process = std::make_unique<unit_process>(context_, options);
    log_.clear_tail();
    connect_pipes(made, std::move(pipes));
    return made;
}

void worker::connect_pipes(const process_ptr& process, child_pipes pipes) {
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
        process->handshake_result = std::move(*result);
        process->protocol.codec->set_capabilities(process->handshake_result);
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
    const auto alive = self();
    std::optional<exit_state> exit = co_await process->main_process->ended();
    if (process->main_process->stop_requested()) {
        exit = co_await stop_gracefully(process);
    }
    co_await finish(process, *exit);
}

// First the goodbye of the protocol, then the end of its input and the stop signal.
asio::awaitable<exit_state> worker::stop_gracefully(process_ptr process) {
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
    if (!process_ || !process_->main_process->request_stop()) return;
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
asio::awaitable<void> worker::finish(process_ptr process, exit_state exit) {
    const bool stopped = process->main_process->stop_requested();
    set_state(unit_state::stopping);
    co_await process->io->finish();
    end_conversation(process, exit);
    // A handshake that still runs fails now. Wait for it: it decides whether the worker is restarted.
    co_await util::within(limits::reap_timeout, process->handshake_done.wait());
    const bool restart = process->protocol.session->wants_restart();
    died_ = !stopped && !restart;
    activity_.clear();
    log(stopped ? level::info : level::warning, "unit", "worker ended",
        {field("unit", process->spec().name), field("pid", process->main_process->pid()),
         field("how", exit_text(exit))});
    log_.write("hob", fmt::format("the worker {}\n", exit_text(exit)));
    const std::string kill_note = process->main_process->kill_note();
    if (!kill_note.empty()) log_.write("hob", kill_note + "\n");
    if (stopped) activity_ = kill_note;
    process->programs.clear();
    co_await process->main_process->clean_up();
    process->phase = worker_phase::over;
    process->idle_timer.cancel();
    process->closed_input_timer.cancel();
    process_.reset();
    const bool well =
        (stopped || restart || (!exit.signalled && exit.number == 0)) && !process->start_failure;
    set_state(well ? unit_state::cold : unit_state::failed);
    if (!well) {
        call_on_failure(process->start_failure ? process->start_failure->reason()
                                               : fmt::format("the worker {}", exit_text(exit)));
    }
}

// Once, until it is warm again: every call may start a worker that has failed.
void worker::call_on_failure(const std::string& reason) {
    if (!spec_->on_failure || context_->closing || std::exchange(failure_reported_, true)) return;
    try {
        auto variables = context_->environment_of(*spec_, caller_environment_);
        run_on_failure(context_->options.executor, *spec_, std::move(variables), reason, log_.tail());
    } catch (const failure& why) {
        log(level::warning, "unit", "on_failure did not start",
            {field("unit", spec_->name), field("reason", why.what())});
    }
}

// Takes in the last message, then tells everybody who waits for the process that it has ended.
void worker::end_conversation(const process_ptr& process, exit_state exit) {
    if (auto partial = process->protocol.framing->last(); partial && !partial->oversized)
        on_message(*process, partial->line);
    log_.end("stdout");
    log_.end("stderr");
    last_exit_ = exit;
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
    while (!process->over() && !process->main_process->stop_requested()) {
        const bool in_use = process->calls->waiting() > 0 || !process->attachments.empty();
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

failure worker::stopped_failure(const char* verb) const {
    return failure(error_kind::cancelled, cannot(verb, spec_->name), "it was stopped meanwhile");
}

failure worker::death_failure(const exit_state& exit) const {
    const auto tail = log_.tail();
    util::json_array lines;
    for (const auto& line : tail)
        lines.add(line);
    util::json_object detail;
    detail.add("exit", exit_brief(exit)).add("stderr", lines);
    std::string hint;
    if (!tail.empty()) hint = fmt::format("its last words: {}", tail.back());
    return failure(error_kind::worker_died, cannot("call", spec_->name),
                   fmt::format("the worker {}", exit_text(exit)), std::move(hint), std::move(detail).text());
}

}  // namespace hob::unit
