#include "keeper/holding.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hob::keeper {
namespace {

std::string_view next_word(std::string_view& words) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    return word;
}

bool has_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        if (next_word(words) == word) return true;
    }
    return false;
}

void close_number(int fd) { util::unique_fd{fd}.reset(); }

// A block has some room, so that it stays where it is while a unit's note changes: blocks that move leave holes
// in the heap. A service without long names never needs more than the first size.
std::size_t capacity_for(std::size_t size, bool has_note) {
    constexpr std::size_t with_note = 280, step = 64;
    if (has_note && size <= with_note) return with_note;
    return (size / step + 1) * step;
}

}  // namespace

holding::~holding() { std::ranges::for_each(descriptors(), close_number); }

// The block comes from new char[], which is aligned for any type.
std::span<const int> holding::descriptors() const { return {reinterpret_cast<const int*>(block_.get()), count_}; }

std::string_view holding::text_at(std::size_t at, std::size_t size) const {
    return {block_.get() + count_ * sizeof(int) + at, size};
}

std::size_t holding::size() const {
    return count_ * sizeof(int) + std::size_t{key_size_} + roles_size_ + note_size_;
}

void holding::pack(std::span<const int> descriptors, std::string_view key, std::string_view roles,
                   std::string_view note) {
    std::string bytes(reinterpret_cast<const char*>(descriptors.data()), descriptors.size_bytes());
    bytes.append(key).append(roles).append(note);
    const std::size_t capacity = capacity_for(bytes.size(), !note.empty());
    const bool fits = block_ && capacity == capacity_for(size(), note_size_ > 0);
    count_ = static_cast<std::uint8_t>(descriptors.size());
    key_size_ = static_cast<std::uint32_t>(key.size());
    roles_size_ = static_cast<std::uint32_t>(roles.size());
    note_size_ = static_cast<std::uint32_t>(note.size());
    if (!fits) {
        block_.reset();
        block_ = std::make_unique_for_overwrite<char[]>(capacity);
    }
    std::memcpy(block_.get(), bytes.data(), bytes.size());
}

void holding::set_note(std::string_view note) {
    if (note != this->note()) pack(descriptors(), key(), roles(), note);
}

void holding::set_descriptors(std::vector<util::unique_fd> descriptors, std::string_view roles) {
    std::vector<int> numbers;
    for (const auto& fd : descriptors)
        numbers.push_back(fd.get());
    std::ranges::for_each(this->descriptors(), close_number);
    pack(numbers, key(), roles, note());
    for (auto& fd : descriptors)
        fd.release();
}

void holding::close(std::string_view roles) {
    std::string left;
    std::vector<int> numbers;
    std::string_view had = this->roles();
    for (const int fd : descriptors()) {
        const std::string_view role = next_word(had);
        if (has_word(roles, role)) {
            close_number(fd);
            continue;
        }
        left.append(left.empty() ? "" : " ").append(role);
        numbers.push_back(fd);
    }
    pack(numbers, key(), left, note());
}

}  // namespace hob::keeper
