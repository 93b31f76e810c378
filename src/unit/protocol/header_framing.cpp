// Content-Length framing, as LSP and DAP have it: header lines, an empty line, and a body of that many bytes.
// What a program writes beside it (a print that was left in) is taken out line by line, and reading goes on.

#include <algorithm>
#include <charconv>

#include "unit/protocol/message_codec.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t header_line_max = 4u << 10;
constexpr std::size_t capacity_kept = 64u << 10;
constexpr std::string_view length_name = "content-length:";
constexpr std::string_view type_name = "content-type:";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Where `name`, in lower case, begins in `line`, whatever the case there.
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

}  // namespace

void header_framing::feed(std::string_view bytes) {
    if (at_ > 0) {
        buffer_.erase(0, at_);
        scanned_ -= std::min(at_, scanned_);
        at_ = 0;
    }
    if (buffer_.empty() && buffer_.capacity() > capacity_kept) buffer_ = {};
    buffer_.append(bytes);
}

// Over one header line. A frame: it is none, and is handed out as it came.
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
        // Something was printed without a newline just before: the header is read again, without it.
        at_ -= line_bytes_ - found;
        scanned_ = at_;
        return ipc::frame{line.substr(0, found), false};
    }
    if (find_name(line, type_name) == 0) return std::nullopt;
    return ipc::frame{line, false};
}

// A line that is too long for a header is handed out in pieces, which end where they end whatever was read at
// once, and before what may be a header.
ipc::frame header_framing::piece(std::string_view line) {
    const std::size_t found = find_name(line.substr(1), length_name);
    const std::size_t size =
        found == std::string_view::npos ? line.size() - (length_name.size() - 1) : found + 1;
    at_ += size;
    scanned_ = at_;
    return {line.substr(0, size), false};
}

std::optional<ipc::frame> header_framing::next() {
    for (;;) {
        const std::string_view rest = std::string_view(buffer_).substr(at_);
        if (skip_ > 0) {
            const std::size_t skipped = std::min(skip_, rest.size());
            at_ += skipped;
            skip_ -= skipped;
            if (skip_ > 0) return std::nullopt;
            continue;
        }
        if (body_) {
            if (*body_ > limits::line_max) {
                skip_ = *std::exchange(body_, std::nullopt);
                return ipc::frame{{}, true};
            }
            if (rest.size() < *body_) return std::nullopt;
            const std::size_t size = *std::exchange(body_, std::nullopt);
            at_ += size;
            scanned_ = at_;
            return ipc::frame{rest.substr(0, size), false};
        }
        const std::string_view near = rest.substr(0, header_line_max + 1);
        const std::size_t end = near.find('\n', std::max(at_, scanned_) - at_);
        if (end == std::string_view::npos) {
            if (near.size() > header_line_max) return piece(near);
            scanned_ = buffer_.size();
            return std::nullopt;
        }
        std::string_view line = near.substr(0, end);
        line_bytes_ = end + 1;
        at_ += line_bytes_;
        scanned_ = at_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (auto stray = header(line)) return stray;
    }
}

std::optional<ipc::frame> header_framing::last() {
    if (auto whole = next()) return whole;
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    at_ = buffer_.size();
    if (rest.empty() || body_ || skip_ > 0) return std::nullopt;
    return ipc::frame{rest, false};
}

std::string header_framing::encode(std::string message) const {
    return "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n" + message;
}

}  // namespace hob::unit
