#include "unit/worker/pending_calls.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <utility>

#include "util/duration.hpp"

namespace hob::unit {

namespace asio = boost::asio;

// Withdraws its call when the caller's coroutine ends, however it ends.
struct pending_calls::registration {
    pending_calls& table;
    pending& call;
    registration(pending_calls& in, pending& what) : table(in), call(what) {}
    ~registration() { table.withdraw(call); }
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
};

pending_calls::pending_calls(const asio::any_io_executor& executor, std::string unit, const protocol& speaks,
                             std::uint64_t& last_id, std::function<bool(std::string)> send)
    : executor_(executor),
      unit_(std::move(unit)),
      speaks_(speaks),
      last_id_(last_id),
      send_(std::move(send)) {}

asio::awaitable<std::string> pending_calls::ask(std::shared_ptr<pending_calls> shared, question what) {
    pending_calls& table = *shared;
    if (table.closed_ && (table.shut_ || !what.parting)) throw failure(*table.closed_);
    const util::deadline limit = what.limit;
    pending call(table.executor_);
    call.id = ++table.last_id_;
    call.watch = what.watch;
    call.message = table.speaks_.codec->request(call.id, table.unit_, what.method, what.params);
    what.params = {};
    const registration registered(table, call);
    if (!limit.is_never()) {
        call.timer.expires_after(limit.remaining());
    } else {
        call.timer.expires_at(util::timer::time_point::max());
    }
    table.add(call);
    if (!call.done) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await call.timer.async_wait(token);
    }
    if (!call.done) {
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        throw table.over(call, what.limit_text);
    }
    if (call.failed) throw failure(*call.failed);
    co_return std::move(call.result);
}

std::uint64_t pending_calls::post(const std::string& method, const std::string& params, result_handler done) {
    if (closed_) throw failure(*closed_);
    auto made = std::make_unique<pending>(executor_);
    const std::uint64_t id = ++last_id_;
    made->id = id;
    made->message = speaks_.codec->request(id, unit_, method, params);
    made->done_is_told = std::move(done);
    pending& call = *made;
    posted_.emplace(id, std::move(made));
    add(call);  // it may be gone after this
    return id;
}

void pending_calls::withdraw(std::uint64_t id) {
    const auto found = posted_.find(id);
    if (found == posted_.end()) return;
    withdraw(*found->second);
    posted_.erase(found);
}

void pending_calls::add(pending& call) {
    last_used_ = std::chrono::steady_clock::now();
    waiting_.emplace(call.id, &call);
    if (speaks_.codec->one_at_a_time()) {
        send_next();
        return;
    }
    send(call);
}

void pending_calls::send(pending& call) {
    if (call.watch) call.watch->arm();
    call.sent = send_(speaks_.framing->encode(std::exchange(call.message, {})));
    if (call.sent) return;
    call.failed.emplace(error_kind::worker_error,
                        fmt::format("cannot call '{}': it does not read its requests", unit_));
    complete(call);
}

bool pending_calls::notify(std::string_view method, std::string_view params_raw, event_watch* watch) {
    const std::uint64_t fresh = ++last_id_;
    std::string text = speaks_.codec->notification(fresh, unit_, method, params_raw);
    if (watch) watch->arm();
    if (speaks_.codec->numbers_notifications()) unwaited_.insert(fresh);
    last_used_ = std::chrono::steady_clock::now();
    return send_(speaks_.framing->encode(std::move(text)));
}

void pending_calls::reply(const worker_message& request, std::string_view result_raw) {
    const std::uint64_t fresh = ++last_id_;
    send_(speaks_.framing->encode(speaks_.codec->reply(request, result_raw, fresh)));
}

void pending_calls::refuse(const worker_message& request, std::string_view why) {
    const std::uint64_t fresh = ++last_id_;
    std::string text = speaks_.codec->refusal(request, fresh, why);
    if (!text.empty()) send_(speaks_.framing->encode(std::move(text)));
}

// One at a time: the oldest that waits, once the worker is free.
void pending_calls::send_next() {
    while (!asked_ && !waiting_.empty()) {
        pending& next = *waiting_.begin()->second;
        const std::uint64_t id = next.id;
        send(next);
        if (waiting_.contains(id)) asked_ = id;
    }
}

void pending_calls::complete(pending& call) {
    waiting_.erase(call.id);
    call.done = true;
    call.timer.cancel();
    last_used_ = std::chrono::steady_clock::now();
    const auto mine = posted_.extract(call.id);
    if (mine.empty()) return;
    const auto emit_event = std::move(call.done_is_told);
    emit_event(call.failed, std::move(call.result));
}

void pending_calls::withdraw(pending& call) {
    if (waiting_.erase(call.id) == 0) return;
    last_used_ = std::chrono::steady_clock::now();
    if (!call.sent || closed_) return;
    try {
        const bool numbered = speaks_.codec->numbers_notifications();
        const std::string text = speaks_.codec->cancellation(call.id, numbered ? last_id_ + 1 : last_id_);
        if (text.empty()) return;
        if (numbered) unwaited_.insert(++last_id_);
        send_(speaks_.framing->encode(text));
    } catch (const std::exception&) {
        // Out of memory: the worker answers for nobody, which is dropped when it comes.
    }
}

bool pending_calls::settle(const worker_message& got) {
    std::optional<std::uint64_t> id = got.id;
    if (speaks_.codec->one_at_a_time()) id = std::exchange(asked_, std::nullopt);
    if (id && unwaited_.erase(*id) > 0) return true;
    const auto found = id ? waiting_.find(*id) : waiting_.end();
    const bool expected = found != waiting_.end() && found->second->sent;
    if (expected) {
        pending& call = *found->second;
        if (got.what == worker_message::kind::error) {
            call.failed.emplace(error_kind::worker_error,
                                fmt::format("cannot call '{}': {}", unit_, got.text), std::string(),
                                got.payload);
        } else {
            call.result = got.payload;
        }
        complete(call);
    }
    if (speaks_.codec->one_at_a_time()) send_next();
    return expected;
}

bool pending_calls::settle_oversized() {
    worker_message got;
    got.what = worker_message::kind::error;
    got.text = "its reply is longer than 16 MiB";
    if (!speaks_.codec->one_at_a_time()) {
        if (waiting_.size() != 1) return false;
        got.id = waiting_.begin()->first;
    }
    return settle(got);
}

void pending_calls::fail_all(const failure& why) {
    while (!waiting_.empty()) {
        pending& call = *waiting_.begin()->second;
        call.failed.emplace(why);
        complete(call);
    }
    asked_.reset();
}

void pending_calls::close_to_callers(const failure& why) {
    closed_.emplace(why);
    fail_all(why);
}

void pending_calls::close(const failure& why) {
    close_to_callers(why);
    shut_ = true;
}

failure pending_calls::over(const pending& call, std::chrono::milliseconds limit_text) const {
    const std::string limit = util::format_duration(limit_text);
    if (!call.sent) {
        return failure(
            error_kind::timeout,
            fmt::format("cannot call '{}': waited {} behind a request that it does not answer", unit_, limit),
            fmt::format("`hob restart {}` ends what it hangs in", unit_));
    }
    return failure(error_kind::timeout, fmt::format("cannot call '{}': no answer within {}", unit_, limit),
                   fmt::format("`hob logs {}` shows what it said meanwhile", unit_));
}

}  // namespace hob::unit
