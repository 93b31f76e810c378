#pragma once
// What a protocol does beside framing and messages: how a conversation begins and ends, what a call means,
// what the other end's own requests are answered, what its notifications say of its state. One script for
// each process of a worker; the base does what plain JSON-RPC and lines need, which is nothing.

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
#include <vector>

#include "unit/protocol/event_ring.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/validity.hpp"
#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// One call as it was asked for.
struct call_request {
    std::string method;
    std::string params;  // raw; empty: none
    std::optional<std::chrono::milliseconds> timeout;
    std::string cwd;      // the caller's directory: relative files are taken from there; empty: the unit's
    bool notify = false;  // nobody waits for an answer
    bool follow = false;  // what belongs to the event that ended the wait is asked for, too
    std::optional<std::uint64_t> generation;  // what the handles in the params belong to
    event_watch::wishes events;

    // Something that the caller should know beside the result; may be empty.
    std::function<void(const std::string& text)> remark;

    bool waits() const {
        return !events.until.empty() || !events.collect.empty() || events.stream != nullptr;
    }
};

// The running process, as a script sees it. Outlives every coroutine of the script.
class session_host {
public:
    virtual const boost::asio::any_io_executor& executor() const = 0;
    virtual const unit_spec& spec() const = 0;

    // One request and its raw result. Throws as registry::call does; at the limit and on cancellation it is
    // taken back. Only while the script begins, ends or performs a call.
    virtual boost::asio::awaitable<std::string> ask(std::string method, std::string params,
                                                    util::deadline limit) = 0;
    // The request that a call is about: its events count from here on.
    virtual boost::asio::awaitable<std::string> ask_for(event_watch* watch, std::string method,
                                                        std::string params, util::deadline limit) = 0;
    // As call_table's.
    virtual std::uint64_t post(const std::string& method, const std::string& params, result_handler done) = 0;
    virtual void withdraw(std::uint64_t id) = 0;
    // Bytes that the process has not read, and a wait for fewer.
    virtual std::size_t queued() const = 0;
    virtual boost::asio::awaitable<void> taken() = 0;
    // False: it could not be sent.
    virtual bool notify(std::string_view method, std::string_view params) = 0;
    virtual void reply(const worker_message& request, std::string_view result) = 0;
    virtual void refuse(const worker_message& request, std::string_view why) = 0;
    // An event of the worker's, for those who wait.
    virtual void emit_event(std::string name, std::string params) = 0;
    // What start() came to.
    virtual const std::string& handshake() const = 0;
    // Starts `work` on its own, which may refer to this and its script, and is to end soon after
    // script::end().
    virtual void run(boost::asio::awaitable<void> work, std::string name) = 0;

    // What the unit is doing, for `hob status`; empty: nothing worth a word.
    virtual void set_activity(std::string text) = 0;

    // A program that runs until the worker's process has ended; what it prints is logged, and comes as events
    // `output`. `env`: nullopt removes. 0: it cannot be started.
    virtual pid_t run_beside(std::vector<std::string> argv,
                             const std::vector<std::pair<std::string, std::optional<std::string>>>& env,
                             const std::string& cwd) = 0;

    // Kept by the worker over its processes and the daemon's, see worker_memory.
    virtual std::string recall(std::string_view key) const = 0;
    virtual std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const = 0;
    virtual void remember(std::string_view key, std::string value, validity valid_for) = 0;

protected:
    ~session_host() = default;
};

class attachment;
struct attach_stream;

// Calls that must not overlap. Those of one lane wait for each other in order, or are refused.
struct call_mutex {
    std::string name;
    bool refuse = false;
};

class protocol_session : public std::enable_shared_from_this<protocol_session> {
public:
    virtual ~protocol_session() = default;

    virtual bool has_start() const { return false; }
    // The handshake. Its result is what --capabilities prints. Throws failure: the start has failed.
    virtual boost::asio::awaitable<std::string> start(session_host& with);
    // start() has failed, but another process is worth a try: what it learnt, it has remembered.
    virtual bool wants_another() const { return false; }

    virtual bool has_stop() const { return false; }
    // Says goodbye; the process may well end by itself meanwhile.
    virtual boost::asio::awaitable<void> stop(session_host& with);

    virtual std::optional<call_mutex> mutex_for(const session_host& with, const std::string& method) const;
    // A call, from its checks to its raw result. `watch`: to be handed to ask_for(); may be null.
    virtual boost::asio::awaitable<std::string> handle_call(session_host& with, call_request wish,
                                                            event_watch* watch, util::deadline limit);
    // More members for the answer of a call that waited, each with a comma before it.
    virtual boost::asio::awaitable<std::string> follow(session_host& with, worker_event event,
                                                       util::deadline limit);

    // What `hob call NAME --list` shows, as JSON.
    virtual boost::asio::awaitable<std::string> list(session_host& with, util::deadline limit);

    // A request of the other end's. True: it is, or will be, answered by the script.
    virtual bool asked(session_host& with, const worker_message& request);
    // A notification. The call that it is about, or 0; its params may be changed on the way.
    virtual std::uint64_t heard(session_host& with, const std::string& name, std::string& params);

    virtual std::uint64_t generation() const { return 0; }  // 0: there are none

    // Somebody who speaks the protocol himself shares the process from here on. Throws failure(usage) where
    // the protocol cannot be shared.
    virtual std::shared_ptr<attachment> attach(std::shared_ptr<session_host> with, attach_stream to);
    // The process is gone.
    virtual void end() {}
};

std::shared_ptr<protocol_session> make_dap_session();
std::shared_ptr<protocol_session> make_lsp_session();
std::shared_ptr<protocol_session> make_mcp_session();

}  // namespace hob::unit
