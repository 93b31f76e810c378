#pragma once
// One program that shares a worker's process with all others and speaks the worker's protocol itself, as an
// editor does: over a stream of bytes, with ids of its own. What it asks and was not answered is taken back
// at its end. The base does what every JSON-RPC protocol needs; a script's own knows what else is to be kept
// apart.

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
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/progress_tokens.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"

namespace hob::unit {

// The way to it.
struct attach_stream {
    std::function<void(std::string_view bytes)> output;
    std::function<std::size_t()> queued;                    // bytes that it has not read
    std::function<boost::asio::awaitable<void>()> drained;  // until it has read some, or is gone
};

class attachment : public std::enable_shared_from_this<attachment> {
public:
    // shared: the worker's coroutine for it, and each input() while it runs. `with`, also held by whoever
    // lives the process, and `speaker`, its script.
    attachment(std::shared_ptr<session_host> with, std::shared_ptr<protocol_session> speaker,
               attach_stream to);
    virtual ~attachment();
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

    // What it wrote; `end`: it writes no more. Returns when more may be given; one at a time, throws
    // failure(usage) otherwise. False: nothing more is wanted.
    boost::asio::awaitable<bool> input(std::string bytes, bool end);
    // Until it has said goodbye, or ended its input and was answered: the exit status that it is to see.
    // Throws what ended it otherwise.
    boost::asio::awaitable<int> ended();

    // All that it waits for fails of `why`, and ended() throws it.
    void end(const failure& why);
    // Undoes all that it has done to the process. Called once, at the end, whatever that was.
    void leave();

    // A notification of the process's; `owner`: see script::heard.
    void hear(const std::string& name, const std::string& params, std::uint64_t owner);
    // How well it can answer this request of the process's; 0: not at all.
    virtual int fitness(const worker_message& request) const;
    // Does so, or lets the script do it where it fails to. False: it has too much to answer already.
    bool forward(const worker_message& request);
    std::chrono::steady_clock::time_point last_word() const { return last_word_; }

protected:
    struct asked {
        std::uint64_t id = 0;  // the call table's
        std::string method;
        std::vector<std::unique_ptr<progress_tokens::token>> tokens;  // in its params
    };

    // What it says. The base passes everything on.
    virtual void request(worker_message said);
    virtual void notification(worker_message said);
    // The params of a notification of the process's, in its own words; nullopt: that does not concern it.
    virtual std::optional<std::string> heard(const std::string& name, const std::string& params,
                                             std::uint64_t owner);
    // It reads too slowly to be told this. True: catch_up() makes up for it.
    virtual bool skipped(const std::string& name, const std::string& params);
    // It reads again; `left_out`: notifications that nothing made up for.
    virtual void catch_up(std::uint64_t left_out);
    virtual void undo() {}

    void pass_on(worker_message said, std::vector<std::unique_ptr<progress_tokens::token>> tokens = {});
    void respond(std::string_view id_raw, std::string_view result);
    void respond_error(std::string_view id_raw, int code, std::string_view message);
    void emit_event(std::string_view method, std::string_view params);
    void finish(int status);  // its own goodbye
    const std::map<std::string, asked>& asking() const { return asking_; }
    session_host& with() { return *with_; }

private:
    void take(const ipc::frame& frame);
    void take_back(const std::string& id_raw);
    void answered(const std::string& id_raw, const std::optional<failure>& failed, const std::string& result);
    void forwarded_answer(const worker_message& said);
    void answer_alone(const worker_message& request);
    void fail_asking(const failure& why);
    void send(std::string message);
    void end_if_answered();
    boost::asio::awaitable<void> unless_over(boost::asio::awaitable<void> wait);
    void end_with(std::optional<failure> why);
    bool slow() const;
    boost::asio::awaitable<void> room();
    boost::asio::awaitable<void> wait_and_catch_up();

    std::shared_ptr<session_host> with_;
    std::shared_ptr<protocol_session> script_;
    attach_stream to_;
    protocol speaks_;                      // its framing and dialect; the script is another
    std::map<std::string, asked> asking_;  // by its own id
    std::map<std::uint64_t, worker_message> forwarded_;
    std::uint64_t last_forwarded_ = 0;
    std::chrono::steady_clock::time_point last_word_{};
    std::uint64_t left_out_ = 0;  // notifications that were not made up for
    bool behind_ = false;         // something was left out, and wait_and_catch_up() runs
    bool reading_ = false;        // input() runs
    bool input_ended_ = false;
    bool over_ = false;
    int status_ = 0;
    std::optional<failure> failed_;
    util::manual_reset_event ended_;
    util::notifier changed_;  // an answer has come, or it is over
};

}  // namespace hob::unit
