#pragma once
// A text that changes by ranges of the protocol. It is kept in pieces that know how many lines end in them,
// so the cost of finding a position and of a change does not depend on the length of the text or of its
// lines.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

class lsp_buffer {
public:
    lsp_buffer() : lsp_buffer(std::string()) {}
    explicit lsp_buffer(std::string text) : size_(text.size()), joined_(std::move(text)) {}

    // Applies one element of `contentChanges` of didChange. False: it is malformed, and the text is
    // unchanged.
    bool apply(std::string_view change, bool utf8);
    // The offsets of the start and the end of a range of the protocol, in UTF-16 code units, or in bytes if
    // `utf8`. Positions behind the end of a line or of the text are that end. nullopt: it is malformed.
    std::optional<std::pair<std::size_t, std::size_t>> offsets(std::string_view range, bool utf8) const;

    // Valid until the next change.
    const std::string& text() const;
    std::size_t size() const { return size_; }

    // Bytes read and written and pieces passed so far, but for text().
    std::size_t work() const { return work_; }

private:
    // No piece ends between a CR and its LF, or within a character.
    struct piece {
        std::string text;
        std::size_t lines = 0;  // that end in it
        std::size_t units = 0;  // of UTF-16
    };
    struct place {
        std::size_t piece, at;  // the place in it
        std::size_t offset;     // in the whole text
    };

    void split() const;
    void append_pieces(std::vector<piece>& to, std::string_view text) const;
    place find(std::int64_t line, std::int64_t character, bool utf8) const;
    place find_line(std::int64_t line) const;
    std::optional<std::pair<place, place>> find_range(std::string_view range, bool utf8) const;
    void replace(place from, place to, std::string_view text);

    std::size_t size_;
    // One of both holds the text, or both do.
    mutable std::optional<std::string> joined_;
    mutable std::vector<piece> pieces_;  // empty: not made yet
    mutable std::size_t work_ = 0;
};

}  // namespace hob::unit
