#pragma once
// Finds where an answer of a program that speaks lines ends. It does no I/O and has no clock: its owner
// passes it the bytes, and reports silence.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unit/spec/spec.hpp"
#include "util/regex.hpp"

namespace hob::unit {

class answer_reader {
public:
    // `where.until` has no fault, see util/regex.hpp.
    explicit answer_reader(const answer_spec& where);

    // From now on an answer is awaited.
    void begin();
    bool awaited() const { return awaited_; }

    // Bytes of the awaited answer. Returns how many of them belong to it: fewer than all once it is complete.
    std::size_t feed(std::string_view bytes);
    // A silence after which on_silence() is to be called; nullopt: silence means nothing now.
    std::optional<std::chrono::milliseconds> pause() const;
    void on_silence();
    // The program has read the request, and waits for the next one without having written anything.
    void on_nothing();
    bool said_anything() const { return oversized_ || !text_.empty(); }

    // After the answer is complete. nullopt: it is longer than limits::line_max.
    // Lines are separated by "\n", also where the program writes "\r\n"; the last one has no end.
    std::optional<std::string> take();
    // Gives up the answer. Returns what came of it.
    std::string drop();

private:
    std::string_view line() const { return std::string_view(text_).substr(line_); }
    void add(std::string_view part);
    void end_line();
    bool ends_with(bool whole_line);

    answer_form form_;
    std::chrono::milliseconds quiet_;
    std::optional<util::regex> until_;
    std::string text_;      // of an answer that is too long, only the beginning of its last line
    std::size_t line_ = 0;  // where its last line begins
    bool awaited_ = false;
    bool oversized_ = false;
};

}  // namespace hob::unit
