#pragma once
// Cuts a stream of bytes into lines. Both ends of the wire use it, and workers whose protocol is lines.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "limits.hpp"

namespace hob::ipc {

struct frame {
    std::string_view line;   // without its newline; valid until the next prepare() or feed()
    bool oversized = false;  // longer than the limit: reported once, and the line is skipped
};

class line_reader {
public:
    explicit line_reader(std::size_t line_max = limits::line_max) : line_max_(line_max) {}

    // prepare() returns room to read into, never empty; commit() says how much of it was filled. Memory grows
    // only with an unfinished line, and shrinks after its end.
    std::span<char> prepare();
    void commit(std::size_t filled);

    // prepare() and commit() for bytes that were read already.
    void feed(std::string_view bytes);

    // The next complete line; nullopt: more bytes are needed.
    std::optional<frame> next();

    // At the end of the stream: the bytes after the last newline, if there are any.
    std::optional<frame> last();

    // Frees the memory that a large line took, if nothing is buffered.
    void trim();

    std::size_t buffered() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }

private:
    void resize(std::size_t capacity);

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;    // of the unfinished line
    std::size_t scanned_ = 0;  // there is no newline before this
    std::size_t end_ = 0;
    std::size_t line_max_;
    bool skipping_ = false;  // inside an oversized line
};

}  // namespace hob::ipc
