// Of a worker: a call, from the wish to its answer.

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "limits.hpp"
#include "unit/worker/worker_process.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

// The end of the last one is news for who waits until the worker is idle.
struct counted {
    std::size_t& count;
    util::notifier& changes;
    counted(std::size_t& of, util::notifier& rung) : count(of), changes(rung) { ++count; }
    ~counted() {
        if (--count == 0) changes.ring();
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

// A reference that is handed to a coroutine which may be destroyed before it ends.
struct registered_watch {
    std::optional<event_watch> watch;
    event_watch* get() { return watch ? &*watch : nullptr; }
};

std::string answer_json(const std::string& result, const event_watch& watch, const std::string& more,
                        std::chrono::steady_clock::time_point began) {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    std::string text = R"({"result":)" + (result.empty() ? "null" : result) + R"(,"until":)";
    text += watch.ended_by() ? event_json(*watch.ended_by()) : "null";
    text += R"(,"events":[)" + watch.gathered() + "]";
    text += more;
    return text + fmt::format(R"(,"lost":{},"elapsed_ms":{}}})", watch.lost(), elapsed.count());
}

}  // namespace

asio::awaitable<std::string> worker::call(call_request wish) {
    const auto alive = self();
    const counted here(calls_, changes());
    const auto allowed = wish.timeout.value_or(std::get<worker_spec>(spec_->detail).call_timeout);
    const auto limit = util::deadline::in(allowed);
    co_await wait_until_warm("call", limit);
    const auto now = process_;
    co_return co_await call_and_wait(now, std::move(wish), limit);
}

asio::awaitable<std::string> worker::call_and_wait(std::shared_ptr<worker_process> now, call_request wish,
                                                   util::deadline limit) {
    const auto began = std::chrono::steady_clock::now();
    const auto speaker = now->speaks.session;
    if (wish.generation && *wish.generation != speaker->generation()) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot call '{}': its handles are of generation {}, and it is at {}",
                                  spec_->name, *wish.generation, speaker->generation()));
    }
    std::optional<call_mutexes::place> place;
    if (const auto rule = speaker->mutex_for(*now, wish.method)) {
        place.emplace(co_await call_mutexes::enter(now->lanes_taken, *rule, spec_->name, wish.method, limit));
    }
    registered_watch events;
    const bool follows = wish.follow;
    const bool waits = wish.waits();
    // Waiting for an event has no limit but the caller's own.
    const auto patience = wish.timeout ? limit : util::deadline::never();
    if (waits) events.watch.emplace(now->executor(), events_, std::move(wish.events));
    std::string result;
    if (wish.notify) {
        co_await notify(now, std::move(wish), events.get());
    } else {
        result = co_await speaker->handle_call(*now, std::move(wish), events.get(), limit);
    }
    if (!waits) co_return result.empty() ? "null" : result;
    event_watch& watch = *events.watch;
    std::string more;
    if (watch.wants_end()) {
        if (now->over && !watch.ended_by()) watch.fail(death(*last_exit_));
        const bool in_time = co_await util::within(patience.remaining(), watch.ended());
        if (!in_time) {
            throw failure(
                error_kind::timeout,
                fmt::format("cannot call '{}': it was answered, but none of the events came", spec_->name),
                {}, answer_json(result, watch, more, began));
        }
        if (follows) {
            more = co_await speaker->follow(*now, *watch.ended_by(), limit);
        }
    }
    if (speaker->generation() != 0) more += fmt::format(R"(,"generation":{})", speaker->generation());
    co_return answer_json(result, watch, more, began);
}

asio::awaitable<void> worker::notify(std::shared_ptr<worker_process> now, call_request wish,
                                     event_watch* watch) {
    if (watch && watch->wants_end()) {
        co_await now->catch_up();
    }
    if (now->calls->notify(wish.method, wish.params, watch)) co_return;
    throw failure(error_kind::worker_error,
                  fmt::format("cannot call '{}': it does not read its requests", spec_->name));
}

asio::awaitable<std::string> worker::capabilities(std::optional<std::chrono::milliseconds> timeout) {
    const auto alive = self();
    const counted here(calls_, changes());
    const auto allowed = timeout.value_or(std::get<worker_spec>(spec_->detail).call_timeout);
    co_await wait_until_warm("call", util::deadline::in(allowed));
    if (!process_->speaks.session->has_start()) {
        throw failure(error_kind::usage,
                      fmt::format("cannot show the capabilities of '{}': protocol {} has no handshake",
                                  spec_->name, name_of(std::get<worker_spec>(spec_->detail).protocol)));
    }
    co_return process_->capabilities;
}

asio::awaitable<std::string> worker::list(std::optional<std::chrono::milliseconds> timeout) {
    const auto alive = self();
    const counted here(calls_, changes());
    const auto allowed = timeout.value_or(std::get<worker_spec>(spec_->detail).call_timeout);
    const auto limit = util::deadline::in(allowed);
    co_await wait_until_warm("call", limit);
    const auto now = process_;
    const auto speaker = now->speaks.session;
    co_return co_await speaker->list(*now, limit);
}

}  // namespace hob::unit
