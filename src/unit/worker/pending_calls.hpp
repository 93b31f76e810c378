#pragma once
// The requests that wait for an answer of one process, and which answer belongs to which request. Without I/O
// of its own: it is given messages, and writes through `send`.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "error.hpp"
#include "unit/protocol/event_ring.hpp"
#include "unit/protocol/protocols.hpp"
#include "util/deadline.hpp"
#include "util/timer.hpp"

namespace hob::unit {

class pending_calls {
public:
    // `send` writes one encoded message to the worker; false: its queue is full. `last_id` is the last id
    // that was given to a request; it and `protocol` outlive the calls.
    pending_calls(const boost::asio::any_io_executor& executor, std::string unit,
                  const protocol_instance& protocol, std::uint64_t& last_id,
                  std::function<bool(std::string)> send);

    struct outgoing_request {
        std::string method;
        std::string params;  // raw; empty: none
        util::deadline limit = util::deadline::never();
        event_watch* watch = nullptr;        // armed when the request is sent
        renewable_limit* renewal = nullptr;  // connected while the request waits
        bool goodbye = false;                // sent although callers are refused
    };
    // Sends a request and returns its result. `calls` is kept alive by the coroutine. Throws failure; on
    // cancellation and at the limit the request is cancelled.
    static boost::asio::awaitable<std::string> request(std::shared_ptr<pending_calls> calls,
                                                       outgoing_request what);

    // Sends a request that no coroutine waits for. `done` is called once with the outcome, maybe before this
    // returns, unless the request is withdrawn before. Returns the id that withdraw() takes. Throws what
    // request() throws before it sends.
    std::uint64_t post(const std::string& method, const std::string& params, result_handler done);
    void withdraw(std::uint64_t id);

    // Answers to it are dropped. False: the worker's queue is full. Throws failure(usage) as
    // message_codec::notification does.
    bool notify(std::string_view method, std::string_view params_raw, event_watch* watch = nullptr);
    // The answer to a request of the worker's.
    void reply(const worker_message& request, std::string_view result_raw);
    void refuse(const worker_message& request, std::string_view why);

    // An answer of kind result or error. False: no request waits for it; it is late, or a duplicate.
    bool on_answer(const worker_message& answer);
    // A message that may be the answer to any request: the only one that waits gets it as its failure. Where
    // several wait, the error of a request that then gets no answer says what it was.
    void on_unattributed(const worker_message& message);

    // A message that cannot be read. Requests that then get no answer say so.
    void on_unreadable(const std::string& why);

    // Fails every request that waits. From here on new requests throw `why`, except goodbye requests.
    void close_to_callers(const failure& why);
    // Also for goodbye requests.
    void close(const failure& why);

    // Fails every request that waits, and cancels it at the worker. New ones are admitted.
    void give_up_waiting(const failure& why);

    std::size_t waiting() const { return waiting_.size(); }
    // For the calls of another program that goes on with the process.
    const std::set<std::uint64_t>& ignored() const { return ignored_; }
    void restore(std::set<std::uint64_t> ignored, std::chrono::steady_clock::time_point last_used) {
        ignored_ = std::move(ignored);
        last_used_ = last_used;
    }
    std::chrono::steady_clock::time_point last_used() const { return last_used_; }

private:
    enum class request_state { unsent, sent, done };
    enum class admission { all, goodbye, none };
    struct pending_request {
        explicit pending_request(const boost::asio::any_io_executor& executor) : timer(executor) {}
        std::uint64_t id = 0;
        std::string message;  // until it is sent
        event_watch* watch = nullptr;
        request_state state = request_state::unsent;
        std::optional<failure> failed;
        std::string result;
        util::timer timer;       // the limit; cancelled when the request is done
        result_handler on_done;  // of a posted request
    };
    struct registration;

    void add(pending_request& request);
    void withdraw(pending_request& request);
    void cancel_at_worker(const pending_request& request);
    void send(pending_request& request);
    void complete(pending_request& request);
    void fail_all(const failure& why);
    boost::asio::awaitable<void> wait(pending_request& request, renewable_limit* renewal);
    failure timeout_failure(const outgoing_request& what) const;
    failure unread_failure() const;

    boost::asio::any_io_executor executor_;
    std::string unit_;
    const protocol_instance& protocol_;
    std::uint64_t& last_id_;
    std::function<bool(std::string)> send_;
    // By id, so the oldest first. Each lives in its caller's coroutine, or in posted_.
    std::map<std::uint64_t, pending_request*> waiting_;
    std::map<std::uint64_t, std::unique_ptr<pending_request>> posted_;
    std::set<std::uint64_t> ignored_;  // ids of notifications and cancellations that are answered
    std::string meanwhile_;            // what came last that belongs to no request
    std::optional<failure> closed_;
    admission admits_ = admission::all;
    std::chrono::steady_clock::time_point last_used_ = std::chrono::steady_clock::now();
};

}  // namespace hob::unit
