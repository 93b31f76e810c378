#include "unit/service/service_process.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/service/readiness.hpp"
#include "util/duration.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;

namespace {

asio::awaitable<void> see_end(unit_process& process, std::optional<exit_state>& exit) {
    exit = co_await process.ended();
}

asio::awaitable<void> ready_or_over(probe_target target, unit_process& process,
                                    std::optional<exit_state>& exit, bool& is_ready) {
    auto probing = await_ready(std::move(target));
    auto ending = see_end(process, exit);
    is_ready = co_await util::first_of(std::move(probing), std::move(ending)) == 0;
}

}  // namespace

std::shared_ptr<service::service_process> service::launch() {
    auto made = std::make_shared<service_process>(context_->options.executor);
    made->spec = spec_;
    made->watchdog = made->what().watchdog;
    made->environment = context_->environment_of(*spec_, caller_environment_);
    attach(made);
    child_pipes pipes;
    process_options wanted;
    wanted.spec = spec_;
    wanted.argv = spec_->run.argv;
    wanted.environment = made->environment;
    wanted.output = pipes.output.write.get();
    wanted.error = pipes.error.write.get();
    made->process = std::make_unique<unit_process>(context_, wanted);
    pipes.close_child_ends();
    log_.clear_tail();
    const std::weak_ptr<service> owner = self();
    const std::weak_ptr<service_process> current = made;
    const auto keep = [owner, current](std::string_view stream, std::string_view bytes) {
        const auto mine = owner.lock();
        const auto it = current.lock();
        if (!mine || !it) return;
        mine->log_.write(stream, bytes);
        if (it->lines && it->lines->feed(stream, bytes)) it->told.set();
    };
    process_io::handlers on;
    on.output = [keep](std::string_view bytes) { keep("stdout", bytes); };
    on.error = [keep](std::string_view bytes) { keep("stderr", bytes); };
    made->io = process_io::make(context_->options.executor, std::move(pipes), std::move(on));
    return made;
}

// What it is given to speak with, and what is listened for.
void service::attach(const std::shared_ptr<service_process>& now) {
    const auto& wanted = now->what();
    if (wanted.ready.form == ready_form::log)
        now->lines = std::make_unique<line_watch>(wanted.ready.log_pattern);
    if (wanted.ready.form != ready_form::notify && !wanted.watchdog) return;
    const std::weak_ptr<service> owner = self();
    const std::weak_ptr<service_process> current = now;
    const auto with = [owner, current](auto what) {
        return [owner, current, what](auto... arguments) {
            const auto mine = owner.lock();
            const auto it = current.lock();
            if (mine && it) what(*mine, *it, std::move(arguments)...);
        };
    };
    notify_socket::handlers on;
    on.ready = with([](service&, service_process& it) { it.told.set(); });
    on.alive = with([](service&, service_process& it) { it.alive.ring(); });
    on.status = with([](service& mine, service_process& it, std::string text) {
        it.status_text = std::move(text);
        if (mine.context_->options.changed) mine.context_->options.changed();
    });
    on.stopping = with([](service& mine, service_process& it) {
        it.status_text = "it is stopping by itself";
        if (mine.context_->options.changed) mine.context_->options.changed();
    });
    on.trigger = with([](service&, service_process& it) {
        it.verdict = "its watchdog was triggered by itself";
        it.process->request_stop();
    });
    on.set_interval = with([](service&, service_process& it, std::chrono::microseconds interval) {
        it.watchdog = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(interval),
                               std::chrono::milliseconds(1));
        it.alive.ring();
    });
    now->notify = notify_socket::make(context_->options.executor, std::move(on));
    now->environment.push_back("NOTIFY_SOCKET=" + now->notify->address());
    if (wanted.watchdog) {
        const auto microseconds = std::chrono::microseconds(*wanted.watchdog).count();
        now->environment.push_back(fmt::format("WATCHDOG_USEC={}", microseconds));
    }
}

asio::awaitable<service::ending> service::run_once() {
    set_state(unit_state::starting);
    try {
        process_ = launch();
    } catch (const failure& problem) {
        util::log(level::warning, "unit", "service did not start",
                  {field("unit", spec_->name), field("reason", problem.what())});
        detail_ = problem.what();
        if (const auto colon = detail_.find("': "); colon != std::string::npos) detail_.erase(0, colon + 3);
        ending none;
        none.failed = true;
        none.reason = detail_;
        co_return none;
    }
    const auto now = process_;
    if (context_->options.changed) context_->options.changed();
    std::string why;
    std::optional<exit_state> exit = co_await become_ready(now, why);
    if (!exit && why.empty() && !now->process->stop_requested()) {
        now->ready_since = std::chrono::steady_clock::now();
        set_state(unit_state::ready);
        if (now->notify) util::spawn(context_->options.executor, watch_alive(now), "watchdog " + spec_->name);
        exit = co_await now->process->ended();
    }
    co_return co_await finish(now, exit, std::move(why));
}

// nullopt: it lives; `why` is empty when it is ready.
asio::awaitable<std::optional<exit_state>> service::become_ready(std::shared_ptr<service_process> now,
                                                                 std::string& why) {
    const ready_spec wanted = now->what().ready;
    std::string not_yet;
    std::optional<exit_state> exit;
    bool is_ready = false;
    const scope all{context_->options.instance_key,
                    now->spec->name,
                    kill_scope::all,
                    now->process->pid(),
                    now->process->start_time(),
                    true,
                    now->process->cgroup()};
    auto belongs = [all](pid_t pid) {
        const auto members = find_members(all);
        return std::any_of(members.begin(), members.end(),
                           [pid](const member& one) { return one.pid == pid; });
    };
    probe_target target{now->spec, now->environment, std::move(belongs), now->told, not_yet};
    auto racing = ready_or_over(std::move(target), *now->process, exit, is_ready);
    const auto limit = wanted.form == ready_form::delay ? wanted.delay + wanted.timeout : wanted.timeout;
    const bool in_time = co_await util::within(limit, std::move(racing));
    now->lines.reset();
    if (!exit) exit = now->process->poll();
    if (exit || now->process->stop_requested()) co_return exit;
    if (!in_time) {
        why = fmt::format("it was not ready within {}{}", util::format_duration(wanted.timeout),
                          not_yet.empty() ? "" : ": " + not_yet);
        now->process->request_stop();
    }
    co_return std::nullopt;
}

// After the process was seen to end, or is to be ended: its last bytes, what it left behind, the verdict.
asio::awaitable<service::ending> service::finish(std::shared_ptr<service_process> now,
                                                 std::optional<exit_state> exit, std::string why) {
    const bool asked = now->process->stop_requested() && why.empty() && now->verdict.empty();
    set_state(unit_state::stopping);
    if (now->process->stop_requested() || !exit) {
        exit = co_await now->process->end();
    }
    co_await now->io->finish();
    log_.end("stdout");
    log_.end("stderr");
    now->over = true;
    now->alive.ring();
    if (now->notify) now->notify->close();
    last_exit_ = *exit;
    const std::string how = exit_text(*exit);
    util::log(asked ? level::info : level::warning, "unit", "service ended",
              {field("unit", now->spec->name), field("pid", now->process->pid()), field("how", how)});
    log_.write("hob", fmt::format("the service {}\n", how));
    left_ = co_await now->process->clean_up();
    const auto& backoff = now->what().backoff;
    if (now->ready_since && std::chrono::steady_clock::now() - *now->ready_since >= backoff.reset)
        in_a_row_ = 0;
    ending last;
    last.asked = asked;
    if (!why.empty() || !now->verdict.empty()) {
        last.failed = true;
        last.reason = why.empty() ? now->verdict : std::move(why);
    } else {
        // What ends before it was ready has failed, unless there was nothing to be ready for.
        const bool too_early = !now->ready_since && now->what().ready.form != ready_form::started;
        last.failed = !asked && (exit->signalled || exit->number != 0 || too_early);
        last.reason = too_early ? how + " before it was ready" : how;
    }
    process_.reset();
    detail_ = asked ? std::string() : last.reason;
    co_return last;
}

asio::awaitable<void> service::watch_alive(std::shared_ptr<service_process> now) {
    const auto alive = self();
    while (!now->over && !now->process->stop_requested()) {
        auto word = now->alive.wait();
        const auto limit = now->watchdog.value_or(std::chrono::milliseconds::max());
        const bool heard = co_await util::within(limit, std::move(word));
        if (heard || now->over || now->process->stop_requested()) continue;
        now->verdict = fmt::format("its watchdog heard nothing for {}", util::format_duration(limit));
        now->process->request_stop();
    }
}

}  // namespace hob::unit
