#pragma once
// How a worker's protocol reads and writes: framing turns bytes into messages, a dialect turns calls into
// messages and messages into answers. Both are without I/O. Another protocol is another pair of these.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/frame.hpp"
#include "unit/spec.hpp"

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

// What a message from a worker is.
struct answer {
    enum class kind {
        result,        // id, payload
        error,         // id, payload (the error object, raw), text (for people)
        notification,  // method, payload (params, raw, may be empty)
        request,       // the worker asks us: method, id_raw
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

class dialect {
public:
    virtual ~dialect() = default;

    // The worker answers in order and cannot tell requests apart: one is sent at a time.
    virtual bool one_at_a_time() const = 0;
    // One request as a message. Throws failure(usage, "cannot call '<unit>': …") when the protocol cannot say
    // it.
    virtual std::string request(std::uint64_t id, std::string_view unit, std::string_view method,
                                std::string_view params_raw) const = 0;
    virtual std::string cancellation(std::uint64_t id) const = 0;  // empty: the protocol has none
    virtual std::string refusal(
        std::string_view id_raw) const = 0;  // of a request of the worker's; may be empty
    virtual answer understand(std::string_view message) const = 0;
};

struct protocol {
    std::unique_ptr<hob::unit::framing> framing;
    std::unique_ptr<hob::unit::dialect> dialect;
};

// nullopt: this version does not speak it.
std::optional<protocol> make_protocol(worker_protocol which);

std::unique_ptr<dialect> make_jsonrpc_dialect();
std::unique_ptr<dialect> make_lines_dialect();

}  // namespace hob::unit
