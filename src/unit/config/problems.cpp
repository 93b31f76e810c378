#include "unit/config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

// Fit for one line of a message: control characters are escaped, the middle of a long text is left out.
std::string one_line(std::string_view text) {
    constexpr std::size_t longest = 400;
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    if (result.size() <= longest) return result;
    std::size_t head = longest / 2;
    std::size_t tail = result.size() - longest / 2;
    const auto inside_character = [&](std::size_t i) {
        return (static_cast<unsigned char>(result[i]) & 0xC0) == 0x80;
    };
    while (inside_character(head))
        --head;
    while (tail < result.size() && inside_character(tail))
        ++tail;
    return result.substr(0, head) + "..." + result.substr(tail);
}

}  // namespace

std::string problems::place(const std::string& path, position where) const {
    const std::string& file = where.file > 0 && where.file < files_.size() ? files_[where.file] : path;
    return where.line == 0 ? file : fmt::format("{}:{}:{}", file, where.line, where.column);
}

std::string problems::line_of(position where, position from) const {
    if (where.file == from.file || where.file >= files_.size()) return fmt::format("line {}", where.line);
    return fmt::format("line {} of '{}'", where.line, files_[where.file]);
}

void problems::error(position where, std::string_view message, std::string_view hint) {
    errors_.push_back({where, one_line(message), one_line(hint)});
}

void problems::warning(position where, std::string_view message) {
    warnings_.push_back({where, one_line(message), {}});
}

void problems::throw_first(const std::string& path) const {
    const auto first = std::min_element(errors_.begin(), errors_.end(),
                                        [](const note& a, const note& b) { return a.where < b.where; });
    if (first == errors_.end()) return;
    throw failure(error_kind::config, cannot("use", place(path, first->where)), first->message, first->hint);
}

std::vector<std::string> problems::warnings(const std::string& path) const {
    std::vector<note> sorted = warnings_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const note& a, const note& b) { return a.where < b.where; });
    std::vector<std::string> lines;
    for (const auto& [where, message, hint] : sorted)
        lines.push_back(place(path, where) + ": " + message);
    return lines;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    const auto near = util::nearest(word, candidates);
    return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

}  // namespace hob::unit
