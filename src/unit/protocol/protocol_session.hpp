#pragma once
// What a protocol does beyond framing and messages: its handshake and goodbye, what a call means, the answers
// to requests of the worker, and what notifications say about its state. There is one session for each
// process of a worker. The base class does what plain JSON-RPC and lines need, which is nothing.

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/process/input_watch.hpp"
#include "unit/protocol/event_ring.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/renewable_limit.hpp"
#include "unit/protocol/validity.hpp"
#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::unit {

// Tells the caller something beside the result; may be empty.
using remark_handler = std::function<void(const std::string& text)>;

// One call of a client.
struct call_request {
    std::string method;
    std::string params;  // raw; empty: none
    std::optional<std::chrono::milliseconds> timeout;
    std::string cwd;                          // the caller's directory, for relative files; empty: the unit's
    bool notify = false;                      // send a notification
    bool apply = false;                       // write the edits that the worker answers with, or asks for
    bool details = false;                     // add the details of the event that ended the wait
    std::optional<std::uint64_t> generation;  // of the handles in the params
    event_filter events;
    remark_handler remark;
};

// Keys and raw JSON values.
using raw_members = std::vector<std::pair<std::string, std::string>>;

// Environment variables to set, or (nullopt) to remove.
using environment_changes = std::vector<std::pair<std::string, std::optional<std::string>>>;

// The running process, as a session sees it. It outlives every coroutine of the session.
class session_host {
public:
    virtual const boost::asio::any_io_executor& executor() const = 0;
    virtual const unit_spec& spec() const = 0;

    // Sends one request and returns its raw result. Throws as registry::call does; at the limit and on
    // cancellation the request is cancelled. Only during start(), stop() and handle_call() of the session.
    virtual boost::asio::awaitable<std::string> request(std::string method, std::string params,
                                                        util::deadline limit) = 0;
    // As request(), for the request that a client's call is about: arms `watch`, which may be null, when it
    // is sent.
    virtual boost::asio::awaitable<std::string> request_for(event_watch* watch, std::string method,
                                                            std::string params, util::deadline limit) = 0;
    // As request_for(), with a limit that can be moved. `renewal` outlives the request.
    virtual boost::asio::awaitable<std::string> request_renewable(renewable_limit& renewal,
                                                                  event_watch* watch, std::string method,
                                                                  std::string params,
                                                                  util::deadline limit) = 0;
    // See pending_calls.
    virtual std::uint64_t post(const std::string& method, const std::string& params, result_handler done) = 0;
    virtual void withdraw(std::uint64_t id) = 0;
    // Bytes that the process has not read yet; a wait until it reads some of them.
    virtual std::size_t unread_input() const = 0;
    virtual boost::asio::awaitable<void> input_read() = 0;
    // False: it could not be sent.
    virtual bool notify(std::string_view method, std::string_view params) = 0;
    virtual void reply(const worker_message& request, std::string_view result) = 0;
    virtual void refuse(const worker_message& request, std::string_view why) = 0;
    // Events of the past are not for later calls.
    virtual void forget_events() = 0;
    // An event for the calls that wait for one.
    virtual void emit_event(std::string name, std::string params) = 0;
    // The result of start().
    virtual const std::string& capabilities() const = 0;
    // It has changed since.
    virtual void set_capabilities(std::string text) = 0;
    // When the worker's processes were last seen to compute, see work_watch.
    virtual std::chrono::steady_clock::time_point last_worked() = 0;
    // What the worker's processes do about their standard input; unknown where the worker is spoken to over
    // TCP. reads_input() and only_reads_input(): see input_watch.
    virtual input_watch::sight look_at_input() = 0;
    virtual bool reads_input() = 0;
    virtual bool only_reads_input() = 0;
    // Bytes that the process has written, and that were not read yet.
    virtual std::size_t unread_output() const = 0;
    // Output that is not part of a message goes to the log of the unit.
    virtual void log_output(std::string_view bytes) = 0;
    // The answer to the request that waits, from a session that reads the output itself.
    virtual void answer(const worker_message& message) = 0;
    // Starts `work` as a coroutine of its own. It may refer to the host and the session, and must end soon
    // after protocol_session::on_process_end().
    virtual void spawn(boost::asio::awaitable<void> work, std::string name) = 0;

    // What the unit is doing, for `hob status`; empty: nothing.
    virtual void set_activity(std::string text) = 0;

    // Runs a program until the worker's process ends. Its output is logged and emitted as events `output`.
    // Returns its pid once it runs. Throws failure(unit_failed).
    virtual boost::asio::awaitable<pid_t> run_program(std::vector<std::string> argv, environment_changes env,
                                                      std::string cwd) = 0;

    // Values that outlive the process and the daemon, see worker_memory.
    virtual std::string recall(std::string_view key) const = 0;
    virtual std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const = 0;
    virtual void remember(std::string_view key, std::string value, validity valid_for) = 0;

protected:
    ~session_host() = default;
};

// The part of `spec` that only workers have.
inline const worker_spec& worker_spec_of(const unit_spec& spec) { return std::get<worker_spec>(spec.detail); }

class attachment;
struct attach_stream;

// Calls with the same mutex do not overlap: they wait for each other in order, or (`refuse`) the second
// fails.
struct call_mutex {
    std::string name;
    bool refuse = false;
};

// What a session of another program in this process needs to go on with the conversation.
struct carried_session {
    std::string json{};
    util::unique_fd inotify{};  // of inotify(7), if it watches files
};

class protocol_session : public std::enable_shared_from_this<protocol_session> {
public:
    virtual ~protocol_session() = default;

    // The handshake; `hob call --capabilities` prints its result. Throws failure: the start has failed. Only
    // where the record of the protocol has `handshake`.
    virtual boost::asio::awaitable<std::string> start(session_host& host);
    // start() failed, but another process may succeed with what this session has remembered.
    virtual bool wants_restart() const { return false; }
    // The goodbye; the process may end meanwhile. Only where the record has `goodbye`.
    virtual boost::asio::awaitable<void> stop(session_host& host);

    virtual std::optional<call_mutex> mutex_for(const session_host& host, const std::string& method) const;
    // A call, from its checks to its raw result. `watch` is for request_for().
    virtual boost::asio::awaitable<std::string> handle_call(session_host& host, call_request call,
                                                            event_watch* watch, util::deadline limit);
    // Members, with raw values, to add to the result of a call that waited for `event`.
    virtual boost::asio::awaitable<raw_members> event_details(session_host& host, worker_event event,
                                                              util::deadline limit);

    // The JSON that `hob call NAME --list` shows.
    virtual boost::asio::awaitable<std::string> list(session_host& host, util::deadline limit);

    // True: the session answers the request, now or later.
    virtual bool on_server_request(session_host& host, const worker_message& request);
    // Returns the call that the notification belongs to, or 0. May change its params.
    virtual std::uint64_t on_notification(session_host& host, const std::string& name, std::string& params);

    // What the process writes, where the record has `one_at_a_time`: the framing does not see it.
    virtual void on_output(session_host& host, std::string_view bytes);
    // Before each call, where the record has `one_at_a_time`. Until the process waits for a request.
    virtual boost::asio::awaitable<void> settle(session_host& host, util::deadline limit);
    // Why the next answer of the process may not be one to the next request; empty: it will be.
    virtual std::string out_of_step() const { return {}; }

    // True: a call of `method` needs a new process.
    virtual bool is_spent_for(const std::string& method) const;
    // Why no event comes that a call could wait for; nullopt: one may come.
    virtual std::optional<failure> end_of_events(const session_host& host) const;
    // Likewise for a call of `method` that begins to wait, and of which all these events could end the wait.
    virtual std::optional<failure> never_comes(const session_host& host, const std::string& method,
                                               const std::vector<event_pattern>& events) const;

    // Handles in params are valid for one generation. 0: the protocol has no generations.
    virtual std::uint64_t generation() const { return 0; }

    // Another client that speaks the protocol itself shares the process. Throws failure(usage) unless the
    // record has `attachable`.
    virtual std::shared_ptr<attachment> attach(std::shared_ptr<session_host> host, attach_stream stream);
    virtual void on_process_end() {}

    // For resume() of a session in another program. No call is in progress and nobody is attached; nothing is
    // read or written any more when it is called last. nullopt: the conversation cannot be gone on with
    // exactly as it is.
    virtual std::optional<carried_session> state_for_successor();
    // Instead of start(). False: it is no such state.
    virtual bool resume(session_host& host, carried_session state);
};

}  // namespace hob::unit
