#pragma once
// Lines out of a stream of bytes. Used for both ends of the wire, and for workers that speak in lines.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "limits.hpp"

namespace hob::ipc {

struct frame {
    std::string_view line;  // without its newline; valid until the next prepare() or feed()
    bool oversized =
        false;  // longer than the cap: said once, as soon as it is known; the rest of it is skipped
};

class line_reader {
public:
    explicit line_reader(std::size_t line_max = limits::line_max) : line_max_(line_max) {}

    // Room to read into, never empty, then how much of it was filled. Memory grows with an unfinished line
    // only, and shrinks back once it is done.
    std::span<char> prepare();
    void commit(std::size_t filled);

    // prepare and commit for bytes that are already somewhere.
    void feed(std::string_view bytes);

    // The next whole line; nullopt: more bytes are needed.
    std::optional<frame> next();

    // At the end of the stream: what came after the last newline, if anything.
    std::optional<frame> last();

    // Gives back the memory that a large line took, when nothing is buffered.
    void trim();

    std::size_t buffered() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }

private:
    void resize(std::size_t capacity);

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;    // of the unfinished line
    std::size_t scanned_ = 0;  // up to here there is no newline
    std::size_t end_ = 0;
    std::size_t line_max_;
    bool skipping_ = false;  // inside an oversized line
};

}  // namespace hob::ipc
