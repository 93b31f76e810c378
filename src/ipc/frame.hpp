#pragma once
// Cuts a stream of bytes into lines. Both ends of the wire use it, and workers whose protocol is lines.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "limits.hpp"

namespace hob::ipc {

struct frame {
    std::string_view line;   // without its newline; valid until the next prepare() or feed()
    bool oversized = false;  // longer than the limit: reported once, and the line is skipped
    // Of an oversized line whose ends are kept: its last bytes. `line` has its first ones.
    std::string_view tail{};
};

// The first and the last bytes of a text that is too long to be kept.
class text_ends {
public:
    static constexpr std::size_t size_max = 4u << 10;  // bytes of each

    void add(std::string_view part);
    void clear();
    std::string_view head() const { return head_; }
    std::string_view tail() const;

private:
    std::string head_;
    std::string last_;  // at least the last size_max bytes, if there are so many
};

class line_reader {
public:
    // `ends`: gets the ends of each oversized line, which is then reported at its end instead of at once.
    // nullptr: oversized lines leave nothing. It outlives the reader.
    explicit line_reader(std::size_t line_max = limits::line_max, text_ends* ends = nullptr)
        : line_max_(line_max), ends_(ends) {}

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
    std::string_view pending() const {
        return {bytes_.get() + begin_, buffered()};
    }                                               // what next() has not given
    bool is_skipping() const { return skipping_; }  // a line that was reported as oversized
    std::size_t capacity() const { return capacity_; }

private:
    void resize(std::size_t capacity);
    std::optional<frame> end_of_oversized(std::string_view rest);

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;    // of the unfinished line
    std::size_t scanned_ = 0;  // there is no newline before this
    std::size_t end_ = 0;
    std::size_t line_max_;
    text_ends* ends_;
    bool skipping_ = false;  // inside an oversized line
};

}  // namespace hob::ipc
