#include "unit/worker/pending_calls.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <utility>

#include "util/async.hpp"
#include "util/duration.hpp"

namespace hob::unit {

namespace asio = boost::asio;

// Withdraws its request when the caller's coroutine ends, however it ends.
struct pending_calls::registration {
    pending_calls& calls;
    pending_request& request;
    registration(pending_calls& in, pending_request& of) : calls(in), request(of) {}
    ~registration() { calls.withdraw(request); }
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
};

pending_calls::pending_calls(const asio::any_io_executor& executor, std::string unit,
                             const protocol_instance& protocol, std::uint64_t& last_id,
                             std::function<bool(std::string)> send)
    : executor_(executor),
      unit_(std::move(unit)),
      protocol_(protocol),
      last_id_(last_id),
      send_(std::move(send)) {}

asio::awaitable<std::string> pending_calls::request(std::shared_ptr<pending_calls> calls,
                                                    outgoing_request what) {
    const bool admitted =
        calls->admits_ == admission::all || (calls->admits_ == admission::goodbye && what.goodbye);
    if (!admitted) throw failure(*calls->closed_);
    pending_request request(calls->executor_);
    request.id = ++calls->last_id_;
    request.watch = what.watch;
    request.message = calls->protocol_.codec->request(request.id, calls->unit_, what.method, what.params);
    what.params = {};
    const registration registered(*calls, request);
    request.timer.expires_at(util::end_of_wait(what.limit.remaining()));
    calls->add(request);
    co_await calls->wait(request, what.renewal);
    if (request.state != request_state::done) throw calls->timeout_failure(what);
    if (request.failed) throw failure(*request.failed);
    co_return std::move(request.result);
}

// Until the request is done, or its limit, which may be moved meanwhile. Throws when the caller is gone.
asio::awaitable<void> pending_calls::wait(pending_request& request, renewable_limit* renewal) {
    const renewable_limit::connection connected(renewal, [&request](util::deadline limit) {
        if (request.state != request_state::done)
            request.timer.expires_at(util::end_of_wait(limit.remaining()));
    });
    boost::system::error_code interrupted;
    do {
        if (request.state == request_state::done) co_return;
        co_await request.timer.async_wait(asio::redirect_error(asio::use_awaitable, interrupted));
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (request.state != request_state::done && cancellation.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    } while (interrupted);
}

std::uint64_t pending_calls::post(const std::string& method, const std::string& params, result_handler done) {
    if (closed_) throw failure(*closed_);
    auto made = std::make_unique<pending_request>(executor_);
    const std::uint64_t id = ++last_id_;
    made->id = id;
    made->message = protocol_.codec->request(id, unit_, method, params);
    made->on_done = std::move(done);
    pending_request& request = *made;
    posted_.emplace(id, std::move(made));
    add(request);  // `request` may be gone after this
    return id;
}

void pending_calls::withdraw(std::uint64_t id) {
    const auto found = posted_.find(id);
    if (found == posted_.end()) return;
    withdraw(*found->second);
    posted_.erase(found);
}

void pending_calls::add(pending_request& request) {
    last_used_ = std::chrono::steady_clock::now();
    waiting_.emplace(request.id, &request);
    send(request);
}

void pending_calls::send(pending_request& request) {
    if (request.watch) request.watch->arm();
    if (send_(protocol_.framing->encode(std::exchange(request.message, {})))) {
        request.state = request_state::sent;
        return;
    }
    request.failed.emplace(unread_failure());
    complete(request);
}

bool pending_calls::notify(std::string_view method, std::string_view params_raw, event_watch* watch) {
    const std::uint64_t fresh = ++last_id_;
    std::string text = protocol_.codec->notification(fresh, unit_, method, params_raw);
    if (watch) watch->arm();
    if (protocol_.record->numbers_all) ignored_.insert(fresh);
    last_used_ = std::chrono::steady_clock::now();
    return send_(protocol_.framing->encode(std::move(text)));
}

void pending_calls::reply(const worker_message& request, std::string_view result_raw) {
    const std::uint64_t fresh = ++last_id_;
    send_(protocol_.framing->encode(protocol_.codec->reply(request, result_raw, fresh)));
}

void pending_calls::refuse(const worker_message& request, std::string_view why) {
    const std::uint64_t fresh = ++last_id_;
    std::string text = protocol_.codec->refusal(request, fresh, why);
    if (!text.empty()) send_(protocol_.framing->encode(std::move(text)));
}

void pending_calls::complete(pending_request& request) {
    waiting_.erase(request.id);
    request.state = request_state::done;
    request.timer.cancel();
    last_used_ = std::chrono::steady_clock::now();
    const auto posted = posted_.extract(request.id);
    if (posted.empty()) return;
    const auto on_done = std::move(request.on_done);
    on_done(request.failed, std::move(request.result));
}

void pending_calls::withdraw(pending_request& request) {
    if (waiting_.erase(request.id) == 0) return;
    last_used_ = std::chrono::steady_clock::now();
    if (request.state == request_state::sent && !closed_) cancel_at_worker(request);
}

void pending_calls::cancel_at_worker(const pending_request& request) {
    try {
        const bool numbered = protocol_.record->numbers_all;
        const std::string text =
            protocol_.codec->cancellation(request.id, numbered ? last_id_ + 1 : last_id_);
        if (text.empty()) return;
        if (numbered) ignored_.insert(++last_id_);
        send_(protocol_.framing->encode(text));
    } catch (const std::exception&) {
        // Out of memory. The worker answers a request that nobody waits for, and the answer is dropped.
    }
}

bool pending_calls::on_answer(const worker_message& answer) {
    std::optional<std::uint64_t> id = answer.id;
    if (protocol_.record->one_at_a_time && !waiting_.empty()) id = waiting_.begin()->first;
    if (id && ignored_.erase(*id) > 0) return true;
    if (!id && answer.type == worker_message::kind::error && answer.id_raw == "null") {
        on_unattributed(answer);
        return true;
    }
    const auto found = id ? waiting_.find(*id) : waiting_.end();
    const bool expected = found != waiting_.end() && found->second->state == request_state::sent;
    if (expected) {
        pending_request& request = *found->second;
        if (answer.type == worker_message::kind::error) {
            request.failed.emplace(error_kind::worker_error, cannot("call", unit_), answer.text,
                                   std::string(), answer.payload);
        } else {
            request.result = answer.payload;
        }
        complete(request);
    }
    return expected;
}

void pending_calls::on_unattributed(const worker_message& message) {
    worker_message answer = message;
    answer.type = worker_message::kind::error;
    if (waiting_.size() == 1) {
        answer.id = waiting_.begin()->first;
        on_answer(answer);
    } else if (!waiting_.empty()) {
        meanwhile_ = "it sent what names no request: " + answer.text;
    }
}

void pending_calls::on_unreadable(const std::string& why) {
    if (!waiting_.empty()) meanwhile_ = "it sent a message that cannot be read: " + why;
}

void pending_calls::fail_all(const failure& why) {
    while (!waiting_.empty()) {
        pending_request& request = *waiting_.begin()->second;
        request.failed.emplace(why);
        complete(request);
    }
}

void pending_calls::give_up_waiting(const failure& why) {
    while (!waiting_.empty()) {
        pending_request& request = *waiting_.begin()->second;
        if (request.state == request_state::sent) cancel_at_worker(request);
        request.failed.emplace(why);
        complete(request);
    }
}

void pending_calls::close_to_callers(const failure& why) {
    closed_.emplace(why);
    if (admits_ == admission::all) admits_ = admission::goodbye;
    fail_all(why);
}

void pending_calls::close(const failure& why) {
    admits_ = admission::none;
    close_to_callers(why);
}

failure pending_calls::unread_failure() const {
    return failure(error_kind::worker_error, cannot("call", unit_), "it does not read its requests");
}

failure pending_calls::timeout_failure(const outgoing_request& what) const {
    std::string reason = fmt::format("no answer within {}", util::format_duration(what.limit.length()));
    if (what.renewal && what.renewal->renewed()) reason = what.renewal->expiry_text();
    if (!meanwhile_.empty()) reason += "; meanwhile " + meanwhile_;
    if (const std::string rest = protocol_.framing->unfinished(); !rest.empty()) reason += "; " + rest;
    return failure(error_kind::timeout, cannot("call", unit_), reason,
                   fmt::format("`hob logs {}` shows what it said meanwhile", unit_));
}

}  // namespace hob::unit
