#include "unit/worker_life.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "limits.hpp"
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
    set_phase(phase::starting);
    try {
        life_ = make_life();
    } catch (const failure& problem) {
        log(level::warning, "unit", "worker did not start",
            {field("unit", spec_->name), field("reason", problem.what())});
        set_phase(phase::failed);
        throw;
    }
    if (std::exchange(died_, false)) ++restarts_;
    const auto& options = context_->options;
    set_phase(phase::warm);
    util::spawn(options.executor, live(life_), "worker " + spec_->name);
    if (std::get<worker_spec>(spec_->detail).idle_timeout) {
        util::spawn(options.executor, watch_idle(life_), "idle " + spec_->name);
    }
}

std::shared_ptr<worker::life> worker::make_life() {
    const auto& options = context_->options;
    auto made = std::make_shared<life>(options.executor);
    made->spec = spec_;
    made->speaks = *make_protocol(std::get<worker_spec>(spec_->detail).protocol);
    child_pipes pipes = child_pipes::with_input();
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

void worker::attach_pipes(const std::shared_ptr<life>& now, child_pipes pipes) {
    pipes.close_child_ends();
    // The handlers are dropped by process_io::finish and abandon, before the life ends: plain pointers would
    // do, were it not for a daemon that is torn down in the middle.
    const std::weak_ptr<worker> owner = self();
    const std::weak_ptr<life> current = now;
    process_io::handlers on;
    on.output = [owner, current](std::string_view bytes) {
        const auto mine = owner.lock();
        const auto it = current.lock();
        if (mine && it) mine->output(*it, bytes);
    };
    on.error = [owner](std::string_view bytes) {
        if (const auto mine = owner.lock()) mine->log_.write("stderr", bytes);
    };
    on.input_closed = [owner, current] {
        const auto mine = owner.lock();
        const auto it = current.lock();
        if (mine && it) {
            util::spawn(mine->context_->options.executor, mine->watch_closed_input(it),
                        "input " + it->spec->name);
        }
    };
    now->io = process_io::make(context_->options.executor, std::move(pipes), std::move(on));
    now->calls = std::make_shared<call_table>(
        context_->options.executor, now->spec->name, now->speaks,
        [io = now->io](std::string bytes) { return io->send(std::move(bytes)); });
}

asio::awaitable<void> worker::live(std::shared_ptr<life> now) {
    const auto alive = self();
    auto ended = now->process->ended();
    std::optional<exit_state> exit = co_await std::move(ended);
    if (now->process->stop_asked()) {
        now->calls->close(
            failure(error_kind::cancelled,
                    fmt::format("cannot call '{}': it was stopped meanwhile", now->spec->name)));
        now->io->close_input();
        auto ending = now->process->end();
        exit = co_await std::move(ending);
    }
    auto finished = finish(now, *exit);
    co_await std::move(finished);
}

void worker::request_stop(const char* why) {
    if (!life_ || !life_->process->request_stop()) return;
    log(level::info, "unit", "worker is stopped",
        {field("unit", spec_->name), field("reason", why), field("pid", life_->process->pid())});
    set_phase(phase::stopping);
}

void worker::kill_now() {
    if (!life_) return;
    request_stop("killed");
    life_->process->kill_now();
}

// After the main process's end: its last bytes, the callers, what it left behind, the record.
asio::awaitable<void> worker::finish(std::shared_ptr<life> now, exit_state exit) {
    const bool asked = now->process->stop_asked();
    set_phase(phase::stopping);
    auto rest = now->io->finish();
    co_await std::move(rest);
    if (auto partial = now->speaks.framing->last(); partial && !partial->oversized)
        message(*now, partial->line);
    log_.end("stdout");
    log_.end("stderr");
    now->calls->close(death(exit));
    last_exit_ = exit;
    died_ = !asked;
    log(asked ? level::info : level::warning, "unit", "worker ended",
        {field("unit", now->spec->name), field("pid", now->process->pid()), field("how", exit_text(exit))});
    log_.write("hob", fmt::format("the worker {}\n", exit_text(exit)));
    auto leftovers = now->process->clear_away();
    co_await std::move(leftovers);
    now->over = true;
    now->idle.cancel();
    now->deaf.cancel();
    life_.reset();
    set_phase(asked || (!exit.signalled && exit.number == 0) ? phase::cold : phase::failed);
}

asio::awaitable<void> worker::watch_idle(std::shared_ptr<life> now) {
    const auto alive = self();
    const auto limit = *std::get<worker_spec>(now->spec->detail).idle_timeout;
    while (!now->over && !now->process->stop_asked()) {
        const auto idle_since =
            now->calls->waiting() > 0 ? std::chrono::steady_clock::now() : now->calls->last_used();
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
asio::awaitable<void> worker::watch_closed_input(std::shared_ptr<life> now) {
    const auto alive = self();
    now->deaf.expires_after(limits::reap_timeout);
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await now->deaf.async_wait(token);
    if (!now->over && life_ == now) request_stop("it reads no requests any more");
}

void worker::output(life& now, std::string_view bytes) {
    now.speaks.framing->feed(bytes);
    while (const auto next = now.speaks.framing->next()) {
        if (next->oversized) {
            oversized(now);
        } else {
            message(now, next->line);
        }
    }
}

void worker::oversized(life& now) {
    const bool known = now.calls->settle_oversized();
    log(level::warning, "unit", "a line of a worker's is longer than 16 MiB and was skipped",
        {field("unit", spec_->name), field("answered", known)});
}

void worker::message(life& now, std::string_view text) {
    const answer got = now.speaks.dialect->understand(text);
    switch (got.what) {
        case answer::kind::result:
        case answer::kind::error:
            if (!now.calls->settle(got)) {
                ++now.unexpected;
                log(level::info, "unit", "an answer that nobody waits for was dropped",
                    {field("unit", spec_->name), field("id", got.id_raw.substr(0, 64)),
                     field("count", now.unexpected)});
            }
            break;
        case answer::kind::notification:
            if (context_->options.publish) {
                std::string params = fmt::format(R"({{"unit":{},"method":{})", util::json_quote(spec_->name),
                                                 util::json_quote(got.method));
                if (!got.payload.empty()) params.append(R"(,"params":)").append(got.payload);
                context_->options.publish("worker.notification", params + "}");
            }
            break;
        case answer::kind::request: {
            const std::string refusal = now.speaks.dialect->refusal(got.id_raw);
            if (!refusal.empty()) now.io->send(now.speaks.framing->encode(refusal));
            break;
        }
        case answer::kind::noise:
            if (++now.noise == 1) {
                log(level::warning, "unit", "a worker writes to its output what is no message; see its log",
                    {field("unit", spec_->name), field("reason", got.text)});
            }
            log_.write("stdout", std::string(text) + "\n");
            break;
    }
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
