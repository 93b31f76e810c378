#include "ipc/frame.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hob::ipc {
namespace {

constexpr std::size_t capacity_min = 4u << 10;
constexpr std::size_t capacity_kept = 64u << 10;  // above this, memory is freed as soon as possible
constexpr std::size_t room_min = 1u << 10;

}  // namespace

void text_ends::add(std::string_view part) {
    const std::size_t missing = size_max - head_.size();
    head_.append(part.substr(0, missing));
    last_.append(part.substr(part.size() - std::min(part.size(), size_max)));
    if (last_.size() > 2 * size_max) last_.erase(0, last_.size() - size_max);
}

void text_ends::clear() {
    head_.clear();
    last_.clear();
}

std::string_view text_ends::tail() const {
    return std::string_view(last_).substr(last_.size() - std::min(last_.size(), size_max));
}

void line_reader::resize(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (buffered() != 0) std::memcpy(bytes.get(), bytes_.get() + begin_, buffered());
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
}

std::span<char> line_reader::prepare() {
    if (begin_ == end_) begin_ = scanned_ = end_ = 0;
    if (capacity_ > capacity_kept && buffered() < capacity_min / 2) {
        resize(capacity_min);
    } else if (capacity_ - end_ < room_min) {
        // Moving is cheap only while little is moved, compared with what was read since the last move.
        const bool movable = begin_ >= room_min && buffered() <= capacity_ / 2;
        resize(std::max(capacity_min, movable ? capacity_ : capacity_ * 2));
    }
    return {bytes_.get() + end_, capacity_ - end_};
}

void line_reader::trim() {
    if (buffered() != 0 || capacity_ <= capacity_kept) return;
    bytes_.reset();
    capacity_ = begin_ = scanned_ = end_ = 0;
}

void line_reader::commit(std::size_t filled) { end_ += filled; }

void line_reader::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> room = prepare();
        const std::size_t count = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), count);
        commit(count);
        bytes.remove_prefix(count);
    }
}

// The last part of an oversized line was read. nullopt: the line was reported at its beginning.
std::optional<frame> line_reader::end_of_oversized(std::string_view rest) {
    const bool begun = std::exchange(skipping_, false);
    if (ends_ == nullptr) return begun ? std::nullopt : std::optional(frame{{}, true});
    if (!begun) ends_->clear();
    ends_->add(rest);
    return frame{ends_->head(), true, ends_->tail()};
}

std::optional<frame> line_reader::next() {
    while (scanned_ < end_) {
        const char* from = bytes_.get() + scanned_;
        const void* found = std::memchr(from, '\n', end_ - scanned_);
        if (found == nullptr) {
            scanned_ = end_;
            break;
        }
        scanned_ += static_cast<std::size_t>(static_cast<const char*>(found) - from) + 1;
        const std::string_view line(bytes_.get() + begin_, scanned_ - begin_ - 1);
        begin_ = scanned_;
        if (!skipping_ && line.size() <= line_max_) return frame{line, false};
        if (const auto oversized = end_of_oversized(line)) return oversized;
    }
    if (!skipping_ && buffered() <= line_max_) return std::nullopt;
    // Too long: the rest of the line is dropped as it arrives.
    const std::string_view dropped(bytes_.get() + begin_, buffered());
    begin_ = scanned_ = end_ = 0;
    const bool begun = std::exchange(skipping_, true);
    if (ends_ != nullptr) {
        if (!begun) ends_->clear();
        ends_->add(dropped);
        return std::nullopt;
    }
    return begun ? std::nullopt : std::optional(frame{{}, true});
}

std::optional<frame> line_reader::last() {
    if (auto whole = next()) return whole;
    if (skipping_ || buffered() == 0) return std::nullopt;
    const std::string_view line(bytes_.get() + begin_, buffered());
    begin_ = scanned_ = end_;
    return frame{line, false};
}

}  // namespace hob::ipc
