// Content-Length framing, as LSP and DAP use it: header lines, an empty line, and a body of that many bytes.
// Other output of the program, such as a forgotten print, is returned line by line, and reading continues
// after it.

#include <algorithm>
#include <charconv>
#include <utility>

#include "limits.hpp"
#include "unit/protocol/framing.hpp"
#include "util/json/json_cut.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t header_line_max = 4u << 10;
constexpr std::size_t capacity_kept = 64u << 10;
constexpr std::string_view length_name = "content-length:";
constexpr std::string_view type_name = "content-type:";
constexpr std::string_view header_start = "content-";
constexpr std::string_view blanks = " \t\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The offset of `name`, which is in lower case, in `line`, in whatever case.
std::size_t find_name(std::string_view line, std::string_view name) {
    const auto at = std::search(line.begin(), line.end(), name.begin(), name.end(),
                                [](char a, char b) { return lower(a) == b; });
    return at == line.end() ? std::string_view::npos : static_cast<std::size_t>(at - line.begin());
}

std::optional<std::size_t> length_of(std::string_view value) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
        value.remove_suffix(1);
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (value.empty() || error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
    return length;
}

// Messages are objects, or arrays of them.
bool ends_as_message(std::string_view body) {
    const auto last = body.find_last_not_of(blanks);
    return last != std::string_view::npos && (body[last] == '}' || body[last] == ']');
}

// The size of a body without the beginning of the next header that it holds.
std::size_t size_without_header(std::string_view body) {
    if (ends_as_message(body)) return body.size();
    const std::size_t size = util::json_value_prefix(body);
    std::string_view rest = body.substr(size);
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    const std::string_view start = rest.substr(0, header_start.size());
    const bool is_header = !start.empty() && std::equal(start.begin(), start.end(), header_start.begin(),
                                                        [](char a, char b) { return lower(a) == b; });
    return size > 0 && is_header ? size : body.size();
}

}  // namespace

void header_framing::consume(std::size_t bytes) {
    consumed_ += bytes;
    scanned_ = consumed_;
}

void header_framing::feed(std::string_view bytes) {
    if (consumed_ > 0) {
        buffer_.erase(0, consumed_);
        scanned_ -= std::min(consumed_, scanned_);
        consumed_ = 0;
    }
    if (buffer_.empty() && buffer_.capacity() > capacity_kept) buffer_ = {};
    buffer_.append(bytes);
}

// One header line, already consumed. A frame: it is not a header, and is returned as it came.
std::optional<ipc::frame> header_framing::header(std::string_view line) {
    if (line.empty()) {
        if (length_) body_ = std::exchange(length_, std::nullopt);
        return std::nullopt;
    }
    if (const auto found = find_name(line, length_name); found == 0) {
        if (const auto length = length_of(line.substr(length_name.size()))) {
            length_ = length;
            return std::nullopt;
        }
    } else if (found != std::string_view::npos && length_of(line.substr(found + length_name.size()))) {
        // The program printed something without a newline before the header: read the header again, without
        // it.
        consumed_ -= line_bytes_ - found;
        scanned_ = consumed_;
        return ipc::frame{line.substr(0, found), false};
    }
    if (find_name(line, type_name) == 0) return std::nullopt;
    return ipc::frame{line, false};
}

// A line that is too long for a header is returned in pieces. Where they end does not depend on how the bytes
// arrived; a piece ends before what may be a header.
ipc::frame header_framing::piece(std::string_view line) {
    const std::size_t found = find_name(line.substr(1), length_name);
    const std::size_t size =
        found == std::string_view::npos ? line.size() - (length_name.size() - 1) : found + 1;
    consume(size);
    return {line.substr(0, size), false};
}

// nullopt: more of an oversized body is to come.
std::optional<ipc::frame> header_framing::skip_body() {
    const std::size_t skipped = std::min(skip_, buffer_.size() - consumed_);
    ends_.add(std::string_view(buffer_).substr(consumed_, skipped));
    consumed_ += skipped;
    skip_ -= skipped;
    if (skip_ > 0) return std::nullopt;
    return ipc::frame{ends_.head(), true, ends_.tail()};
}

std::optional<ipc::frame> header_framing::body() {
    if (*body_ > limits::line_max) {
        skip_ = *std::exchange(body_, std::nullopt);
        ends_.clear();
        return skip_body();
    }
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    if (rest.size() < *body_) return std::nullopt;
    const std::size_t size = size_without_header(rest.substr(0, *std::exchange(body_, std::nullopt)));
    consume(size);
    return ipc::frame{rest.substr(0, size), false};
}

std::optional<ipc::frame> header_framing::early() {
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    if (!body_ || *body_ <= rest.size() || *body_ - rest.size() > limits::overcount_max) return std::nullopt;
    if (!ends_as_message(rest) || util::json_value_prefix(rest) == 0) return std::nullopt;
    blank_ = *std::exchange(body_, std::nullopt) - rest.size();
    consume(rest.size());
    return ipc::frame{rest, false};
}

std::string header_framing::unfinished() const {
    if (!body_) return {};
    return "of a message of " + std::to_string(*body_) + " bytes, " +
           std::to_string(buffer_.size() - consumed_) + " came";
}

void header_framing::skip_blanks() {
    while (blank_ > 0 && consumed_ < buffer_.size()) {
        const bool is_blank = blanks.find(buffer_[consumed_]) != std::string_view::npos;
        blank_ = is_blank ? blank_ - 1 : 0;
        if (is_blank) consume(1);
    }
}

// Consumes header lines up to the end of the headers, to a line that is not a header, or to the end of the
// buffer.
std::optional<ipc::frame> header_framing::header_line() {
    while (!body_) {
        const std::string_view near = std::string_view(buffer_).substr(consumed_, header_line_max + 1);
        const std::size_t end = near.find('\n', std::max(consumed_, scanned_) - consumed_);
        if (end == std::string_view::npos) {
            if (near.size() > header_line_max) return piece(near);
            scanned_ = buffer_.size();
            return std::nullopt;
        }
        std::string_view line = near.substr(0, end);
        line_bytes_ = end + 1;
        consume(line_bytes_);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (auto stray = header(line)) return stray;
    }
    return std::nullopt;
}

std::optional<ipc::frame> header_framing::next() {
    if (skip_ > 0) return skip_body();
    skip_blanks();
    if (!body_) {
        if (auto stray = header_line()) return stray;
    }
    return body_ ? body() : std::nullopt;
}

std::optional<ipc::frame> header_framing::last() {
    if (auto whole = next()) return whole;
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    consumed_ = buffer_.size();
    if (rest.empty() || body_ || skip_ > 0) return std::nullopt;
    return ipc::frame{rest, false};
}

std::string header_framing::encode(std::string message) const {
    return "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n" + message;
}

std::unique_ptr<framing> make_header_framing() { return std::make_unique<header_framing>(); }

}  // namespace hob::unit
