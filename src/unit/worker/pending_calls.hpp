#pragma once
// The calls that wait for one process, and which answer is whose. Without I/O of its own: it is given
// messages and writes through `send`.

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

#include "error.hpp"
#include "unit/protocol/event_ring.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/deadline.hpp"
#include "util/timer.hpp"

namespace hob::unit {

class pending_calls {
public:
    // `send`: one encoded message to the worker; false: its queue is full. `last_id`: the last id that was
    // given to a request; outlives the table.
    pending_calls(const boost::asio::any_io_executor& executor, std::string unit, const protocol& speaks,
                  std::uint64_t& last_id, std::function<bool(std::string)> send);

    struct question {
        std::string method;
        std::string params;  // raw; empty: none
        util::deadline limit = util::deadline::never();
        std::chrono::milliseconds limit_text{0};  // how long that was, for the message
        event_watch* watch = nullptr;             // armed when the request is sent
        bool parting = false;                     // goes out although the table is closed to callers
    };
    // One call, from the request to its answer. `shared`: the table, kept alive by the caller's coroutine.
    // Throws failure; on cancellation and at the limit the request is withdrawn.
    static boost::asio::awaitable<std::string> ask(std::shared_ptr<pending_calls> shared, question what);

    // A request that no coroutine waits for. Throws as ask(), but for what it comes to: `done` is told that,
    // once, maybe before this returns, unless it is withdrawn before. The id that withdraw() takes.
    std::uint64_t post(const std::string& method, const std::string& params, result_handler done);
    void withdraw(std::uint64_t id);

    // What is not waited for; whatever is answered to it is dropped. False: the worker's queue is full.
    // Throws failure(usage) as dialect::notification does.
    bool notify(std::string_view method, std::string_view params_raw, event_watch* watch = nullptr);
    // The answer to a request of the worker's.
    void reply(const worker_message& request, std::string_view result_raw);
    void refuse(const worker_message& request, std::string_view why);

    // An answer of kind result or error. False: nobody waits for it (it is late, doubled, or never was).
    bool settle(const worker_message& got);
    // An answer that cannot be read; false: it cannot be told whose it is.
    bool settle_oversized();

    void fail_all(const failure& why);
    // From here on ask() throws `why`, other than for parting questions.
    void close_to_callers(const failure& why);
    // For those, too, and all that waits has failed.
    void close(const failure& why);

    std::size_t waiting() const { return waiting_.size(); }
    std::chrono::steady_clock::time_point last_used() const { return last_used_; }

private:
    struct pending {
        explicit pending(const boost::asio::any_io_executor& executor) : timer(executor) {}
        std::uint64_t id = 0;
        std::string message;  // until it is sent
        event_watch* watch = nullptr;
        bool sent = false;
        bool done = false;
        std::optional<failure> failed;
        std::string result;
        util::timer timer;            // the limit; cancelled when the call is done
        result_handler done_is_told;  // of one that was posted
    };
    struct registration;

    void add(pending& call);
    void withdraw(pending& call);
    void send(pending& call);
    void send_next();
    void complete(pending& call);
    failure over(const pending& call, std::chrono::milliseconds limit_text) const;

    boost::asio::any_io_executor executor_;
    std::string unit_;
    const protocol& speaks_;
    std::uint64_t& last_id_;
    std::function<bool(std::string)> send_;
    std::map<std::uint64_t, pending*>
        waiting_;  // by id, so the oldest first; each lives in its caller's coroutine, or in posted_
    std::map<std::uint64_t, std::unique_ptr<pending>> posted_;
    std::optional<std::uint64_t>
        asked_;  // one_at_a_time: what the worker works on, whether or not anybody waits
    std::set<std::uint64_t> unwaited_;  // sent, and an answer to it is nobody's, but expected
    std::optional<failure> closed_;
    bool shut_ = false;  // also for parting questions
    std::chrono::steady_clock::time_point last_used_ = std::chrono::steady_clock::now();
};

}  // namespace hob::unit
