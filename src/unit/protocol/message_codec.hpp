#pragma once
// How a worker's protocol reads and writes: framing turns bytes into messages, a dialect turns calls into
// messages and messages into answers. Both are without I/O. Another protocol is another pair of these.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "error.hpp"
#include "ipc/frame.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

class framing {
public:
    virtual ~framing() = default;
    virtual void feed(std::string_view bytes) = 0;
    virtual std::optional<ipc::frame> next() = 0;               // valid until the next call
    virtual std::optional<ipc::frame> last() = 0;               // what was left at the end of the stream
    virtual std::string encode(std::string message) const = 0;  // as it is written to the worker
};

// A message a line.
class line_framing final : public framing {
public:
    void feed(std::string_view bytes) override { reader_.feed(bytes); }
    std::optional<ipc::frame> next() override { return reader_.next(); }
    std::optional<ipc::frame> last() override { return reader_.last(); }
    std::string encode(std::string message) const override {
        message += '\n';
        return message;
    }

private:
    ipc::line_reader reader_;
};

// Content-Length headers before each message. Lines that are no headers are handed out like messages, for a
// dialect to call them noise; a body longer than limits::line_max is skipped and said to be oversized.
class header_framing final : public framing {
public:
    void feed(std::string_view bytes) override;
    std::optional<ipc::frame> next() override;
    std::optional<ipc::frame> last() override;
    std::string encode(std::string message) const override;

private:
    std::optional<ipc::frame> header(std::string_view line);
    ipc::frame piece(std::string_view line);

    std::string buffer_;
    std::size_t at_ = 0;                 // of what was not handed out yet
    std::size_t scanned_ = 0;            // up to here there is no newline
    std::size_t line_bytes_ = 0;         // of the header line in hand, its newline included
    std::size_t skip_ = 0;               // of an oversized body
    std::optional<std::size_t> length_;  // said by the headers so far
    std::optional<std::size_t> body_;    // the headers are over
};

// What a message from a worker is.
struct worker_message {
    enum class kind {
        result,        // id, payload
        error,         // id, payload (the error object, raw), text (for people)
        notification,  // method, payload (params, raw, may be empty)
        request,       // the worker asks us: method, id_raw, payload (params, raw, may be empty)
        noise,         // no message of this protocol: text says why
    };
    kind what = kind::noise;
    std::optional<std::uint64_t>
        id;  // one in the form we write them; nullopt: whatever was asked last, or not ours
    std::string id_raw;
    std::string method;
    std::string payload;
    std::string text;
};

// Told once what a request came to: why it failed, or its raw result.
using result_handler = std::function<void(const std::optional<failure>& failed, std::string result)>;

class message_codec {
public:
    virtual ~message_codec() = default;

    // The worker answers in order and cannot tell requests apart: one is sent at a time.
    virtual bool one_at_a_time() const = 0;
    // One request as a message. Throws failure(usage, "cannot call '<unit>': …") when the protocol cannot say
    // it.
    virtual std::string request(std::uint64_t id, std::string_view unit, std::string_view method,
                                std::string_view params_raw) const = 0;
    // Nobody waits for an answer to it. Throws as request() does.
    virtual std::string notification(std::uint64_t fresh, std::string_view unit, std::string_view method,
                                     std::string_view params_raw) const = 0;
    // Whether notifications and cancellations carry a number of their own, under which they are answered.
    virtual bool numbers_notifications() const { return false; }
    // `fresh`: an id that nothing else has. Empty: the protocol has no cancellation.
    virtual std::string cancellation(std::uint64_t id, std::uint64_t fresh) const = 0;
    // Of a request of the worker's, that it is not answered, and why if `why` is not empty; may be empty.
    virtual std::string refusal(const worker_message& request, std::uint64_t fresh,
                                std::string_view why) const = 0;
    virtual std::string reply(const worker_message& request, std::string_view result_raw,
                              std::uint64_t fresh) const = 0;
    virtual worker_message decode(std::string_view message) const = 0;
    // What the handshake said that the other end can do.
    virtual void learn(std::string_view capabilities) { static_cast<void>(capabilities); }
};

class protocol_session;

struct protocol {
    std::unique_ptr<hob::unit::framing> framing;
    std::unique_ptr<message_codec> codec;
    std::shared_ptr<protocol_session> session;  // also held by what it runs
};

protocol make_protocol(worker_protocol which);

// How a request is taken back.
enum class cancel_form { lsp, mcp };
std::unique_ptr<message_codec> make_jsonrpc_codec(cancel_form cancel = cancel_form::lsp);
std::unique_ptr<message_codec> make_dap_codec();
std::unique_ptr<message_codec> make_lines_codec();

}  // namespace hob::unit
