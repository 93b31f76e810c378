#include "util/log/log_cursor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hob::util {
namespace {

constexpr std::size_t block = 64u << 10;

}  // namespace

// Reads more of the present file. False: at its end.
bool log_cursor::fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    const std::size_t before = buffer_.size();
    const std::size_t remaining = static_cast<std::size_t>(std::max<off_t>(files_[file_].size - offset_, 0));
    const std::size_t to_read = std::min(block, remaining);
    buffer_.resize(before + to_read);
    ssize_t n = 0;
    do {
        n = ::pread(files_[file_].fd.get(), buffer_.data() + before, to_read, offset_);
    } while (n < 0 && errno == EINTR);
    buffer_.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
    offset_ += n > 0 ? n : 0;
    return n > 0;
}

std::optional<std::string> log_cursor::next() {
    while (file_ < files_.size()) {
        const auto end = buffer_.find('\n', at_);
        if (end != std::string::npos || buffer_.size() - at_ > log_line_cap) {
            std::string line = buffer_.substr(at_, end == std::string::npos ? end : end - at_);
            at_ = end == std::string::npos ? buffer_.size() : end + 1;
            if (!line.empty()) return line;
        } else if (!fill()) {
            std::string rest = buffer_.substr(at_);
            buffer_.clear();
            at_ = 0;
            offset_ = 0;
            ++file_;
            if (!rest.empty()) return rest;
        }
    }
    return std::nullopt;
}

}  // namespace hob::util
