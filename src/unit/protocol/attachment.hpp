#pragma once
// A client that shares the process of a worker with others and speaks the worker's protocol itself, as an
// editor does: over a stream of bytes, with ids of its own. Its open requests are cancelled when it ends. The
// base class does what every JSON-RPC protocol needs; a protocol's own class keeps more of its clients apart.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocols.hpp"
#include "util/async.hpp"
#include "util/timer.hpp"

namespace hob::unit {

// The connection to the client.
struct attach_stream {
    std::function<void(std::string_view bytes)> output;
    std::function<std::size_t()> queued;                    // bytes that the client has not read
    std::function<boost::asio::awaitable<void>()> drained;  // until it reads some, or is gone
};

class attachment : public std::enable_shared_from_this<attachment> {
public:
    // shared: the worker's coroutine for it, and each input() while it runs. `host` is also held by the
    // coroutines of the process, `session` is the session of that process.
    attachment(std::shared_ptr<session_host> host, std::shared_ptr<protocol_session> session,
               attach_stream stream);
    virtual ~attachment();
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

    // Bytes from the client; `end`: they are the last. Returns when more may come; throws failure(usage) when
    // the previous call has not returned. False: the attachment is over.
    boost::asio::awaitable<bool> input(std::string bytes, bool end);
    // Waits until the client has said goodbye, or its input has ended and every request is answered. Returns
    // the client's exit status, or throws the failure that ended the attachment.
    boost::asio::awaitable<int> ended();

    // Fails every open request and the attachment itself with `why`.
    void end(const failure& why);
    // Undoes all effects on the process. Called once, after the end.
    void leave();

    // `owner`: see protocol_session::on_notification.
    void on_notification(const std::string& name, const std::string& params, std::uint64_t owner);
    // How well this client can answer the request; 0: not at all.
    virtual int fitness(const worker_message& request) const;
    // Sends the request to the client; the session answers it if the client does not. False: the client has
    // too many unanswered requests.
    bool forward(const worker_message& request);
    std::chrono::steady_clock::time_point last_message() const { return last_message_; }

protected:
    struct open_request {
        std::uint64_t id = 0;  // see session_host::post
        std::string method;
        std::vector<std::unique_ptr<progress_tokens::token>> tokens;  // in its params
        std::unique_ptr<util::timer> patience;  // of a request that the worker may ignore
    };

    // Messages from the client. The base class forwards everything.
    virtual void on_client_request(worker_message message);
    virtual void on_client_notification(worker_message message);
    // The params of a notification as this client gets them; nullopt: it does not get the notification.
    virtual std::optional<std::string> params_for_client(const std::string& name, const std::string& params,
                                                         std::uint64_t owner);
    // A notification was skipped because the client reads too slowly. True: catch_up() makes up for it.
    virtual bool on_skipped(const std::string& name, const std::string& params);
    // The client reads again; `lost`: skipped notifications that nothing makes up for.
    virtual void catch_up(std::uint64_t lost);
    virtual void undo() {}
    // Goes on with the last message, a small piece of it, in this turn of the loop or a later one. False: the
    // message is done.
    virtual bool work_on();
    // The worker need not answer such a request.
    virtual bool may_be_ignored(const std::string& method) const;

    // The client's payload as the process gets it, and a message as the client gets it.
    virtual void adapt_incoming(std::string& payload) const { static_cast<void>(payload); }
    virtual void adapt_outgoing(std::string& message) const { static_cast<void>(message); }
    // The answer to a request of the client's as the client gets it.
    virtual std::string result_for_client(const std::string& method, std::string result) const;

    // Sends a request whose answer is ignored.
    void ask(std::string_view method, std::string_view params);
    void send_to_worker(worker_message message,
                        std::vector<std::unique_ptr<progress_tokens::token>> tokens = {});
    void respond(std::string_view id_raw, std::string_view result);
    void respond_error(std::string_view id_raw, int code, std::string_view message);
    void emit_event(std::string_view method, std::string_view params);
    void finish(int status);  // the client said goodbye
    void fail(std::string reason);
    const std::map<std::string, open_request>& open_requests() const { return open_requests_; }
    session_host& host() { return *host_; }

private:
    enum class input_state { waiting, reading, ended };
    struct reading_input;

    void on_frame(const ipc::frame& frame);
    void send_request(worker_message message, std::vector<std::unique_ptr<progress_tokens::token>> tokens);
    void limit_patience(const std::string& id_raw);
    void give_up(const std::string& id_raw, int code, std::string_view why);
    void cancel_request(const std::string& id_raw);
    void on_result(const std::string& id_raw, const std::optional<failure>& failed,
                   const std::string& result);
    void on_forwarded_answer(const worker_message& answer);
    void answer_without_client(const worker_message& request);
    void fail_open_requests(const failure& why);
    void send(std::string message);
    void end_if_answered();
    void take_back_forwarded();
    boost::asio::awaitable<void> unless_over(boost::asio::awaitable<void> wait);
    void end_with(std::optional<failure> why);
    bool is_slow() const;
    boost::asio::awaitable<void> backpressure();
    boost::asio::awaitable<void> wait_and_catch_up();

    std::shared_ptr<session_host> host_;
    std::shared_ptr<protocol_session> session_;
    attach_stream stream_;
    std::unique_ptr<framing> framing_;
    std::unique_ptr<message_codec> codec_;
    std::map<std::string, open_request> open_requests_;  // by the client's id
    std::map<std::uint64_t, worker_message> forwarded_;
    std::uint64_t last_forwarded_ = 0;
    std::chrono::steady_clock::time_point last_message_{};
    std::uint64_t lost_ = 0;    // skipped notifications that nothing makes up for
    bool catching_up_ = false;  // something was skipped, and wait_and_catch_up() runs
    input_state input_ = input_state::waiting;
    bool over_ = false;
    int status_ = 0;
    std::optional<failure> failed_;
    util::manual_reset_event ended_;
    util::notifier changed_;  // a request was answered, or the attachment is over
};

}  // namespace hob::unit
