// The calls of a worker, from the request to the result.

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "limits.hpp"
#include "unit/worker/worker_process.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using util::raw_json;

// One call in flight. The end of the last one is a change for those who wait until the worker is idle.
struct counted_call {
    std::size_t& count;
    util::notifier& changes;
    counted_call(std::size_t& calls, util::notifier& on_idle) : count(calls), changes(on_idle) { ++count; }
    ~counted_call() {
        if (--count == 0) changes.ring();
    }
    counted_call(const counted_call&) = delete;
    counted_call& operator=(const counted_call&) = delete;
};

// The result of a call that waited for events.
std::string result_with_events(const std::string& result, const event_watch& watch, const raw_members& more,
                               steady_clock::time_point began) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
    const std::string until = watch.ended_by() ? event_json(*watch.ended_by()) : "null";
    util::json_object answer;
    answer.add("result", raw_json{result.empty() ? std::string_view("null") : result})
        .add("until", raw_json{until})
        .add("events", watch.collected());
    for (const auto& [key, value] : more)
        answer.add(key, raw_json{value});
    answer.add("lost", watch.lost()).add("elapsed_ms", elapsed.count());
    return std::move(answer).text();
}

std::string none_came(const framing& of) {
    const std::string rest = of.unfinished();
    return "it was answered, but none of the events came" + (rest.empty() ? "" : "; " + rest);
}

// The failure of a call with the events that it got, in its detail.
failure with_events(const failure& why, const event_watch& watch) {
    if (watch.collected().empty() || (!why.detail().empty() && !why.detail().starts_with('{'))) return why;
    return failure(why.kind(), why.tried(), why.reason(), why.hint(),
                   util::json_set(why.detail(), {"events"}, watch.collected().text()));
}

}  // namespace

util::deadline worker::call_limit(const std::optional<std::chrono::milliseconds>& timeout) const {
    return util::deadline::in(timeout.value_or(own_spec().call_timeout));
}

asio::awaitable<std::string> worker::call(call_request request) {
    const auto alive = self();
    const counted_call counted(calls_, changes());
    const auto limit = call_limit(request.timeout);
    if (own_spec().protocol->one_at_a_time) {
        co_return co_await call_in_turn(std::move(request), limit);
    }
    co_await wait_until_warm("call", limit);
    if (process_->protocol.session->is_spent_for(request.method)) {
        request_stop("its session is over, and another begins");
        co_await wait_until_warm("call", limit);
    }
    co_return co_await call_and_wait(process_, std::move(request), limit);
}

// One call after the other, in order. Nobody gets what the process still has to say to an earlier call.
asio::awaitable<std::string> worker::call_in_turn(call_request request, util::deadline limit) {
    const call_mutex turn{"turn", false};
    const auto held = co_await call_mutexes::acquire(turns_, turn, spec_->name, request.method, limit);
    std::string left;
    for (;;) {
        co_await wait_until_warm("call", limit);
        const auto process = process_;
        const auto session = process->protocol.session;
        if (session->out_of_step().empty()) {
            co_await session->settle(*process, limit);
        }
        const std::string why = session->out_of_step();
        if (why.empty()) {
            if (!left.empty() && request.remark) request.remark("it was restarted before this call: " + left);
            co_return co_await call_and_wait(process, std::move(request), limit);
        }
        left = why;
        if (process_ == process) request_stop(left.c_str());
    }
}

asio::awaitable<std::string> worker::call_and_wait(process_ptr process, call_request request,
                                                   util::deadline limit) {
    const auto began = steady_clock::now();
    const auto session = process->protocol.session;
    if (request.apply && !process->protocol.record->documents) {
        throw failure(error_kind::usage, cannot("call", spec_->name),
                      fmt::format("protocol {} has no edits to apply", process->protocol.record->name));
    }
    if (request.generation && *request.generation != session->generation()) {
        throw failure(error_kind::unit_failed, cannot("call", spec_->name),
                      fmt::format("its handles are of generation {}, and it is at {}", *request.generation,
                                  session->generation()));
    }
    std::optional<call_mutexes::lock> lock;
    if (const auto mutex = session->mutex_for(*process, request.method)) {
        lock.emplace(
            co_await call_mutexes::acquire(process->mutexes, *mutex, spec_->name, request.method, limit));
    }
    const bool wants_details = request.details;
    const std::string method = request.method;
    // Only the caller's own limit ends the wait for an event.
    const auto event_limit = request.timeout ? limit : util::deadline::never();
    std::optional<event_watch> watch;
    if (!request.events.empty()) watch.emplace(process->executor(), events_, std::move(request.events));
    event_watch* const watch_or_null = watch ? &*watch : nullptr;
    std::string result;
    try {
        result = co_await send_call(process, std::move(request), watch_or_null, limit);
        if (watch && watch->has_until()) co_await wait_for_event(process, method, *watch, event_limit);
    } catch (const failure& why) {
        throw watch ? with_events(why, *watch) : why;
    }
    if (!watch) co_return result.empty() ? "null" : result;
    raw_members more;
    if (watch->has_until()) {
        if (!watch->ended_by()) {
            throw failure(error_kind::timeout, cannot("call", spec_->name),
                          none_came(*process->protocol.framing), {},
                          result_with_events(result, *watch, more, began));
        }
        if (wants_details) {
            // Half of the time: what is left tells the caller of the event, whatever becomes of its details.
            const auto half = util::deadline::in(limit.remaining() / 2);
            more = co_await session->event_details(*process, *watch->ended_by(), half);
        }
    }
    if (session->generation() != 0) more.emplace_back("generation", std::to_string(session->generation()));
    co_return result_with_events(result, *watch, more, began);
}

asio::awaitable<std::string> worker::send_call(process_ptr process, call_request request, event_watch* watch,
                                               util::deadline limit) {
    if (request.notify) {
        co_await notify(process, std::move(request), watch);
        co_return std::string();
    }
    const auto session = process->protocol.session;
    co_return co_await session->handle_call(*process, std::move(request), watch, limit);
}

// Until an event ends the wait, or the limit.
asio::awaitable<void> worker::wait_for_event(process_ptr process, std::string method, event_watch& watch,
                                             util::deadline limit) {
    if (process->over() && !watch.ended_by()) watch.fail(death_failure(*last_exit_));
    if (const auto never = process->protocol.session->never_comes(*process, method, watch.until()))
        watch.fail(*never);
    co_await util::within(limit.remaining(), watch.ended());
}

asio::awaitable<void> worker::notify(process_ptr process, call_request request, event_watch* watch) {
    if (watch && watch->has_until()) {
        co_await process->catch_up();
    }
    if (process->calls->notify(request.method, request.params, watch)) co_return;
    throw failure(error_kind::worker_error, cannot("call", spec_->name), "it does not read its requests");
}

asio::awaitable<std::string> worker::capabilities(std::optional<std::chrono::milliseconds> timeout) {
    const auto alive = self();
    const counted_call counted(calls_, changes());
    co_await wait_until_warm("call", call_limit(timeout));
    const worker_protocol& protocol = *process_->protocol.record;
    if (!protocol.handshake) {
        throw failure(error_kind::usage, cannot("show the capabilities of", spec_->name),
                      fmt::format("protocol {} has no handshake", protocol.name));
    }
    co_return process_->handshake_result;
}

asio::awaitable<std::string> worker::list(std::optional<std::chrono::milliseconds> timeout) {
    const auto alive = self();
    const counted_call counted(calls_, changes());
    const auto limit = call_limit(timeout);
    co_await wait_until_warm("call", limit);
    const auto process = process_;
    const auto session = process->protocol.session;
    co_return co_await session->list(*process, limit);
}

}  // namespace hob::unit
