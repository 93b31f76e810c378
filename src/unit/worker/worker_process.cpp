#include "unit/worker/worker_process.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "limits.hpp"
#include "util/duration.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

}  // namespace

void worker::start_process() {
    activity_.clear();
    set_state(unit_state::starting);
    try {
        process_ = make_process();
    } catch (const failure& problem) {
        log(level::warning, "unit", "worker did not start",
            {field("unit", spec_->name), field("reason", problem.what())});
        set_state(unit_state::failed);
        throw;
    }
    if (std::exchange(died_, false)) ++restarts_;
    const auto& options = context_->options;
    if (process_->speaks.session->has_start() || std::get<worker_spec>(spec_->detail).connect) {
        util::spawn(options.executor, open(process_), "handshake of " + spec_->name);
    } else {
        process_->usable = true;
        process_->opened.set();
        set_state(unit_state::warm);
    }
    util::spawn(options.executor, live(process_), "worker " + spec_->name);
    if (std::get<worker_spec>(spec_->detail).idle_timeout) {
        util::spawn(options.executor, watch_idle(process_), "idle " + spec_->name);
    }
}

std::shared_ptr<worker::worker_process> worker::make_process() {
    auto made = std::make_shared<worker_process>(*this);
    made->own_spec = spec_;
    memory_.bind(*spec_);
    made->speaks = make_protocol(std::get<worker_spec>(spec_->detail).protocol);
    const bool listens = std::get<worker_spec>(spec_->detail).connect.has_value();
    child_pipes pipes = listens ? child_pipes() : child_pipes::with_input();
    process_options wanted;
    wanted.spec = spec_;
    wanted.argv = spec_->run.argv;
    wanted.environment = context_->environment_of(*spec_, caller_environment_);
    wanted.input = pipes.input.read.get();
    wanted.output = pipes.output.write.get();
    wanted.error = pipes.error.write.get();
    made->process = std::make_unique<unit_process>(context_, wanted);
    log_.clear_tail();
    attach_pipes(made, std::move(pipes));
    return made;
}

void worker::attach_pipes(const std::shared_ptr<worker_process>& now, child_pipes pipes) {
    pipes.close_child_ends();
    // The handlers are dropped by process_io::finish and abandon, before the life ends: plain pointers would
    // do, were it not for a daemon that is torn down in the middle.
    const std::weak_ptr<worker> owner = self();
    const std::weak_ptr<worker_process> current = now;
    process_io::handlers on;
    const auto& connects = std::get<worker_spec>(now->own_spec->detail).connect;
    if (connects && !connects->log_pattern.empty())
        now->lines = std::make_unique<line_watch>(connects->log_pattern);
    auto messages = [owner, current](std::string_view bytes) {
        const auto mine = owner.lock();
        const auto it = current.lock();
        if (mine && it) mine->output(*it, bytes);
    };
    const auto printing = [owner, current](const char* stream) {
        return [owner, current, stream](std::string_view bytes) {
            const auto mine = owner.lock();
            const auto it = current.lock();
            if (mine && it) mine->printed(*it, stream, bytes);
        };
    };
    if (connects) {
        on.connection = std::move(messages);
        on.output = printing("stdout");
    } else {
        on.output = std::move(messages);
    }
    on.error = printing("stderr");
    on.input_closed = [owner, current] {
        const auto mine = owner.lock();
        const auto it = current.lock();
        if (mine && it) {
            it->input_closed = true;
            util::spawn(mine->context_->options.executor, mine->watch_closed_input(it),
                        "input " + it->own_spec->name);
        }
    };
    now->io = process_io::make(context_->options.executor, std::move(pipes), std::move(on));
    now->calls = std::make_shared<pending_calls>(
        context_->options.executor, now->own_spec->name, now->speaks, last_id_,
        [io = now->io](std::string bytes) { return io->send(std::move(bytes)); });
    now->lanes_taken = std::make_shared<call_mutexes>(context_->options.executor);
}

// The handshake. It belongs to the process, not to the call that started it.
asio::awaitable<void> worker::open(std::shared_ptr<worker_process> now) {
    const auto alive = self();
    const auto speaker = now->speaks.session;
    std::optional<failure> failed;
    try {
        auto result = co_await util::within(limits::handshake_timeout, greet(now));
        if (result) {
            now->capabilities = std::move(*result);
            now->speaks.codec->learn(now->capabilities);
        } else {
            failed.emplace(
                error_kind::timeout,
                fmt::format("cannot start '{}': no answer to its handshake within {}", now->own_spec->name,
                            util::format_duration(limits::handshake_timeout)));
        }
    } catch (const failure& why) {
        failed.emplace(why);
    } catch (const std::exception& why) {
        failed.emplace(error_kind::internal,
                       fmt::format("cannot start '{}': {}", now->own_spec->name, why.what()));
    }
    if (!failed) now->usable = true;
    if (failed && !speaker->wants_another()) now->start_failed = failed;
    if (failed) {
        log(level::warning, "unit", "the handshake of a worker failed",
            {field("unit", now->own_spec->name), field("reason", failed->what())});
    }
    now->opened.set();
    if (process_ != now || state() != unit_state::starting) co_return;
    if (failed) {
        request_stop("its handshake failed");
    } else {
        set_state(unit_state::warm);
    }
}

asio::awaitable<void> worker::live(std::shared_ptr<worker_process> now) {
    const auto alive = self();
    std::optional<exit_state> exit = co_await now->process->ended();
    if (now->process->stop_requested()) {
        exit = co_await stop_gracefully(now);
    }
    co_await finish(now, *exit);
}

// The end that was asked for: first in the protocol's own words, then by closing its input and by signal.
asio::awaitable<exit_state> worker::stop_gracefully(std::shared_ptr<worker_process> now) {
    now->calls->close_to_callers(
        failure(error_kind::cancelled,
                fmt::format("cannot call '{}': it was stopped meanwhile", now->own_spec->name)));
    now->end_attachments(
        failure(error_kind::cancelled,
                fmt::format("cannot attach '{}': it was stopped meanwhile", now->own_spec->name)));
    const auto speaker = now->speaks.session;
    const auto timeout = now->own_spec->stop.timeout;
    const auto limit = util::deadline::in(timeout);
    if (now->usable && speaker->has_stop() && !now->process->kill_requested()) {
        now->parting = true;
        try {
            auto goodbye = speaker->stop(*now);
            auto gone = now->process->gone();
            const auto first =
                co_await util::within(timeout / 2, util::first_of(std::move(goodbye), std::move(gone)));
            if (first && *first == 0) {
                co_await util::within(timeout / 2, now->process->gone());
            }
        } catch (const std::exception& why) {
            log(level::info, "unit", "a worker did not take its leave",
                {field("unit", now->own_spec->name), field("reason", why.what())});
        }
    }
    now->calls->close(failure(error_kind::cancelled, fmt::format("cannot call '{}': it was stopped meanwhile",
                                                                 now->own_spec->name)));
    now->io->close_input();
    co_return co_await now->process->end(limit);
}

void worker::request_stop(const char* why) {
    if (!process_ || !process_->process->request_stop()) return;
    log(level::info, "unit", "worker is stopped",
        {field("unit", spec_->name), field("reason", why), field("pid", process_->process->pid())});
    set_state(unit_state::stopping);
}

void worker::kill_now() {
    if (!process_) return;
    request_stop("killed");
    process_->process->kill_now();
}

// After the main process's end: its last bytes, the callers, what it left behind, the record.
asio::awaitable<void> worker::finish(std::shared_ptr<worker_process> now, exit_state exit) {
    const bool asked = now->process->stop_requested();
    set_state(unit_state::stopping);
    co_await now->io->finish();
    if (auto partial = now->speaks.framing->last(); partial && !partial->oversized)
        message(*now, partial->line);
    log_.end("stdout");
    log_.end("stderr");
    last_exit_ = exit;
    const failure why =
        asked ? failure(error_kind::cancelled,
                        fmt::format("cannot call '{}': it was stopped meanwhile", now->own_spec->name))
              : death(exit);
    now->calls->close(why);
    now->ended.set();
    now->end_attachments(death(exit));
    now->speaks.session->end();
    events_.fail_all(why);
    // A handshake that was under way ends now, and says what comes of it.
    co_await util::within(limits::reap_timeout, now->opened.wait());
    const bool another = now->speaks.session->wants_another();
    died_ = !asked && !another;
    activity_.clear();
    log(asked ? level::info : level::warning, "unit", "worker ended",
        {field("unit", now->own_spec->name), field("pid", now->process->pid()),
         field("how", exit_text(exit))});
    log_.write("hob", fmt::format("the worker {}\n", exit_text(exit)));
    const std::string kill_note = now->process->kill_note();
    if (!kill_note.empty()) log_.write("hob", kill_note + "\n");
    if (asked) activity_ = kill_note;
    now->beside.clear();
    co_await now->process->clean_up();
    now->over = true;
    now->idle.cancel();
    now->deaf.cancel();
    process_.reset();
    const bool well = (asked || another || (!exit.signalled && exit.number == 0)) && !now->start_failed;
    set_state(well ? unit_state::cold : unit_state::failed);
}

asio::awaitable<void> worker::watch_idle(std::shared_ptr<worker_process> now) {
    const auto alive = self();
    const auto limit = *std::get<worker_spec>(now->own_spec->detail).idle_timeout;
    while (!now->over && !now->process->stop_requested()) {
        const auto idle_since = now->calls->waiting() > 0 || !now->attached.empty()
                                    ? std::chrono::steady_clock::now()
                                    : now->calls->last_used();
        if (std::chrono::steady_clock::now() - idle_since >= limit) {
            request_stop("idle");
            co_return;
        }
        now->idle.expires_at(idle_since + limit);
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await now->idle.async_wait(token);
    }
}

// Its end usually follows, and says more; a process that lives on without reading is of no use.
asio::awaitable<void> worker::watch_closed_input(std::shared_ptr<worker_process> now) {
    const auto alive = self();
    now->deaf.expires_after(limits::reap_timeout);
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await now->deaf.async_wait(token);
    if (now->over || process_ != now) co_return;
    if (std::get<worker_spec>(now->own_spec->detail).connect) {
        const failure cut(error_kind::worker_died,
                          fmt::format("cannot call '{}': its connection has ended", spec_->name));
        now->calls->close_to_callers(cut);
        events_.fail_all(cut);
        now->usable = false;
        request_stop("its connection has ended");
    } else {
        request_stop("it reads no requests any more");
    }
}

void worker::output(worker_process& now, std::string_view bytes) {
    now.speaks.framing->feed(bytes);
    while (const auto next = now.speaks.framing->next()) {
        if (next->oversized) {
            oversized(now);
        } else {
            message(now, next->line);
        }
    }
}

void worker::oversized(worker_process& now) {
    const bool known = now.calls->settle_oversized();
    log(level::warning, "unit", "a line of a worker's is longer than 16 MiB and was skipped",
        {field("unit", spec_->name), field("answered", known)});
}

void worker::message(worker_process& now, std::string_view text) {
    const worker_message got = now.speaks.codec->decode(text);
    switch (got.what) {
        case worker_message::kind::result:
        case worker_message::kind::error:
            if (!now.calls->settle(got)) {
                ++now.unexpected;
                log(level::info, "unit", "an answer that nobody waits for was dropped",
                    {field("unit", spec_->name), field("id", got.id_raw.substr(0, 64)),
                     field("count", now.unexpected)});
            }
            break;
        case worker_message::kind::notification:
            notified(now, got);
            break;
        case worker_message::kind::request:
            asked(now, got);
            break;
        case worker_message::kind::noise:
            if (++now.noise == 1) {
                log(level::warning, "unit", "a worker writes to its output what is no message; see its log",
                    {field("unit", spec_->name), field("reason", got.text)});
            }
            log_.write("stdout", std::string(text) + "\n");
            break;
    }
}

void worker::notified(worker_process& now, worker_message got) {
    const std::uint64_t owner = now.speaks.session->heard(now, got.method, got.payload);
    for (auto* one : now.attached)
        one->hear(got.method, got.payload, owner);
    if (context_->options.publish) {
        std::string params = fmt::format(R"({{"unit":{},"method":{})", util::json_quote(spec_->name),
                                         util::json_quote(got.method));
        if (!got.payload.empty()) params.append(R"(,"params":)").append(got.payload);
        context_->options.publish("worker.notification", params + "}");
    }
    events_.push(std::move(got.method), std::move(got.payload), owner);
}

// What hob.toml says comes first, then whoever shares the process, then what the protocol has for it.
void worker::asked(worker_process& now, const worker_message& request) {
    for (const auto& [method, result] : std::get<worker_spec>(now.own_spec->detail).answers) {
        if (method == request.method) {
            now.reply(request, result);
            return;
        }
    }
    auto* attached = most_fit(now, request);
    if (attached && attached->forward(request)) return;
    if (!now.speaks.session->asked(now, request)) now.refuse(request, {});
}

failure worker::death(const exit_state& exit) const {
    const auto tail = log_.tail();
    std::string detail = R"({"exit":)" + util::json_quote(exit_brief(exit)) + R"(,"stderr":[)";
    for (std::size_t i = 0; i < tail.size(); ++i) {
        if (i > 0) detail += ',';
        util::json_quote_to(detail, tail[i]);
    }
    detail += "]}";
    std::string hint;
    if (!tail.empty()) hint = fmt::format("its last words: {}", tail.back());
    return failure(error_kind::worker_died,
                   fmt::format("cannot call '{}': the worker {}", spec_->name, exit_text(exit)), hint,
                   detail);
}

}  // namespace hob::unit
