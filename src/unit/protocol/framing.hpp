#pragma once
// Framing turns a stream of bytes into messages and back. Without I/O.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/frame.hpp"

namespace hob::unit {

class framing {
public:
    virtual ~framing() = default;
    virtual void feed(std::string_view bytes) = 0;
    virtual std::optional<ipc::frame> next() = 0;  // valid until the next call
    virtual std::optional<ipc::frame> last() = 0;  // the rest at the end of the stream
    // After next() has returned nothing: the message that has begun, if it is complete although its header
    // has announced more. When this is known depends on how the bytes arrive. Valid until the next call.
    virtual std::optional<ipc::frame> early() { return std::nullopt; }
    // What the message lacks that has begun: "of a message of 20 bytes, 12 came"; empty: it is not known.
    virtual std::string unfinished() const { return {}; }
    virtual std::string encode(std::string message) const = 0;  // the bytes to write to the worker

    // After next() and early() have returned nothing: what another framing needs to go on, for its restore().
    // This one is of no use afterwards. nullopt: it is in the middle of a message that is too long.
    virtual std::optional<std::string> take_state() = 0;
    // False: it is no such state.
    virtual bool restore(const std::string& state) = 0;
};

// One message a line. An oversized line is reported at its end, with its first and last bytes.
class line_framing final : public framing {
public:
    void feed(std::string_view bytes) override { reader_.feed(bytes); }
    std::optional<ipc::frame> next() override { return reader_.next(); }
    std::optional<ipc::frame> last() override { return reader_.last(); }
    std::string encode(std::string message) const override {
        message += '\n';
        return message;
    }
    std::optional<std::string> take_state() override;
    bool restore(const std::string& state) override;

private:
    ipc::text_ends ends_;
    ipc::line_reader reader_{limits::line_max, &ends_};
};

// Content-Length headers before each message. A line that is not a header is returned like a message; the
// codec recognizes it as noise. A body that is shorter than its header says, so that the next header begins
// in it, ends where its JSON ends. A body longer than limits::line_max is skipped and reported at its end,
// with its first and last bytes.
class header_framing final : public framing {
public:
    void feed(std::string_view bytes) override;
    std::optional<ipc::frame> next() override;
    std::optional<ipc::frame> last() override;
    std::string encode(std::string message) const override;
    std::optional<ipc::frame> early() override;
    std::string unfinished() const override;
    std::optional<std::string> take_state() override;
    bool restore(const std::string& state) override;

private:
    std::optional<ipc::frame> header(std::string_view line);
    std::optional<ipc::frame> header_line();
    std::optional<ipc::frame> body();
    ipc::frame piece(std::string_view line);
    std::optional<ipc::frame> skip_body();
    void skip_blanks();
    void consume(std::size_t bytes);

    std::string buffer_;
    std::size_t consumed_ = 0;           // bytes at the front of buffer_ that were returned
    std::size_t scanned_ = 0;            // no newline before this offset
    std::size_t line_bytes_ = 0;         // of the current header line, including its newline
    std::size_t skip_ = 0;               // bytes left of an oversized body
    std::size_t blank_ = 0;              // bytes that a message still lacks that was complete without them
    ipc::text_ends ends_;                // of that body
    std::optional<std::size_t> length_;  // from the headers read so far
    std::optional<std::size_t> body_;    // all headers are read: the size of the body
};

std::unique_ptr<framing> make_line_framing();
std::unique_ptr<framing> make_header_framing();

}  // namespace hob::unit
