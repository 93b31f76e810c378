#include "unit/protocol/lsp/buffer.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "unit/protocol/lsp/text.hpp"
#include "util/json/json_edit.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t piece_size = 1024;  // of a new one
constexpr std::size_t piece_min = piece_size / 2;
constexpr std::size_t piece_max = piece_size * 2;

// Where a text of more than piece_max bytes is cut.
std::size_t cut_of(std::string_view text) {
    std::size_t at = piece_size;
    while (at < text.size() &&
           ((static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u || text.substr(at - 1, 2) == "\r\n"))
        ++at;
    return at;
}

// Behind the first `lines` line ends.
std::size_t skip_lines(std::string_view text, std::size_t lines) {
    std::size_t at = 0;
    for (; lines > 0; --lines) {
        at = lsp_line_end(text, at);
        at += text.substr(at, 2) == "\r\n" ? 2 : 1;
    }
    return at;
}

std::ptrdiff_t signed_size(std::size_t size) { return static_cast<std::ptrdiff_t>(size); }

std::size_t lines_in(std::string_view text) {
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = lsp_line_end(text, at)) < text.size(); ++lines)
        at += text.substr(at, 2) == "\r\n" ? 2 : 1;
    return lines;
}

}  // namespace

const std::string& lsp_buffer::text() const {
    if (!joined_) {
        std::string all;
        all.reserve(size_);
        for (const auto& each : pieces_)
            all += each.text;
        joined_ = std::move(all);
    }
    return *joined_;
}

void lsp_buffer::split() const {
    if (pieces_.empty()) append_pieces(pieces_, *joined_);
}

// At least one, which may be empty.
void lsp_buffer::append_pieces(std::vector<piece>& to, std::string_view text) const {
    work_ += text.size();
    do {
        piece& made = to.emplace_back();
        made.text = text.substr(0, text.size() > piece_max ? cut_of(text) : text.size());
        made.lines = lines_in(made.text);
        made.units = lsp_units(made.text, false);
        text.remove_prefix(made.text.size());
    } while (!text.empty());
}

// The begin of `line`, counted from 0; behind the last line, the end of the text.
lsp_buffer::place lsp_buffer::find_line(std::int64_t line) const {
    auto left = static_cast<std::size_t>(line);
    place found{0, 0, 0};
    for (const auto& each : pieces_) {
        ++work_;
        if (left <= each.lines) {
            work_ += each.text.size();
            found.at = skip_lines(each.text, left);
            found.offset += found.at;
            return found;
        }
        left -= each.lines;
        found.offset += each.text.size();
        ++found.piece;
    }
    --found.piece;
    found.at = pieces_.back().text.size();
    return found;
}

lsp_buffer::place lsp_buffer::find(std::int64_t line, std::int64_t character, bool utf8) const {
    place found = find_line(line);
    auto left = static_cast<std::size_t>(character);
    for (;;) {
        const piece& here = pieces_[found.piece];
        const std::size_t units = utf8 ? here.text.size() : here.units;
        std::size_t passed = 0;
        ++work_;
        if (found.at == 0 && here.lines == 0 && units <= left) {
            passed = here.text.size();
            left -= units;
        } else {
            const std::string_view rest = std::string_view(here.text).substr(found.at);
            const std::string_view row = rest.substr(0, lsp_line_end(rest, 0));
            work_ += row.size();
            while (left > 0 && passed < row.size()) {
                const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row.substr(passed)));
                left -= std::min(left, lsp_units(row.substr(passed, length), utf8));
                passed += length;
            }
        }
        found.at += passed;
        found.offset += passed;
        // A place between two pieces is the begin of the second.
        if (found.at < here.text.size() || found.piece + 1 == pieces_.size()) return found;
        ++found.piece;
        found.at = 0;
    }
}

std::optional<std::pair<lsp_buffer::place, lsp_buffer::place>> lsp_buffer::find_range(std::string_view range,
                                                                                      bool utf8) const {
    split();
    std::array<place, 2> ends{};
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const char* which = i == 0 ? "start" : "end";
        const auto line = util::json_find_integer(range, {which, "line"});
        const auto character = util::json_find_integer(range, {which, "character"});
        if (!line || !character || *line < 0 || *character < 0) return std::nullopt;
        ends[i] = find(*line, *character, utf8);
    }
    if (ends[1].offset < ends[0].offset) return std::nullopt;
    return std::pair(ends[0], ends[1]);
}

std::optional<std::pair<std::size_t, std::size_t>> lsp_buffer::offsets(std::string_view range,
                                                                       bool utf8) const {
    const auto found = find_range(range, utf8);
    if (!found) return std::nullopt;
    return std::pair(found->first.offset, found->second.offset);
}

void lsp_buffer::replace(place from, place to, std::string_view text) {
    std::size_t first = from.piece;
    std::size_t last = to.piece;
    std::string content = pieces_[first].text.substr(0, from.at);
    content.append(text).append(pieces_[last].text, to.at);
    // A small piece takes in the next one, and a neighbour is taken in where a CR would stand beside its LF.
    while (last + 1 < pieces_.size() &&
           (content.size() < piece_min || (content.ends_with('\r') && pieces_[last + 1].text[0] == '\n')))
        content += pieces_[++last].text;
    if (first > 0 && content.starts_with('\n') && pieces_[first - 1].text.ends_with('\r'))
        content.insert(0, pieces_[--first].text);
    std::vector<piece> made;
    append_pieces(made, content);
    const std::size_t kept = std::min(made.size(), last + 1 - first);
    const auto rest =
        std::move(made.begin(), made.begin() + signed_size(kept), pieces_.begin() + signed_size(first));
    if (kept < made.size()) {
        pieces_.insert(rest, std::make_move_iterator(made.begin() + signed_size(kept)),
                       std::make_move_iterator(made.end()));
    } else {
        pieces_.erase(rest, pieces_.begin() + signed_size(last + 1));
    }
    if (made.size() != last + 1 - first) work_ += pieces_.size() - first;
    size_ += text.size() - (to.offset - from.offset);
    joined_.reset();
}

bool lsp_buffer::apply(std::string_view change, bool utf8) {
    work_ += change.size();
    auto text = util::json_find_string(change, {"text"});
    if (!text) return false;
    const std::string_view range = util::json_member_of(change, "range");
    if (range.empty()) {
        size_ = text->size();
        joined_ = std::move(*text);
        pieces_.clear();
        return true;
    }
    const auto found = find_range(range, utf8);
    if (found) replace(found->first, found->second, *text);
    return found.has_value();
}

}  // namespace hob::unit
