#pragma once
// One entry of what a keeper holds. A keeper has as many as there are services and runs, so an entry is
// small: its texts and the numbers of its descriptors are in one block of memory.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keeper/message.hpp"
#include "util/fd.hpp"

namespace hob::keeper {

class holding {
public:
    explicit holding(std::string_view key) { pack({}, key, {}, {}); }
    ~holding();
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;

    std::string_view key() const { return text_at(0, key_size_); }
    std::string_view roles() const { return text_at(key_size_, roles_size_); }  // one word a descriptor
    std::string_view note() const { return text_at(std::size_t{key_size_} + roles_size_, note_size_); }
    std::span<const int> descriptors() const;

    void set_note(std::string_view note);
    // Closes those that it has.
    void set_descriptors(std::vector<util::unique_fd> descriptors, std::string_view roles);
    void close(std::string_view roles);

    bool lives() const { return pid > 0 && !ended; }

    pid_t pid = 0;              // a child of the keeper; 0: none
    util::unique_fd process{};  // its pidfd; empty: it has none
    bool ended = false;
    std::unique_ptr<exit_report> exit{};  // how it has ended, once it is reaped; until then the kernel knows

private:
    std::size_t size() const;
    std::string_view text_at(std::size_t at, std::size_t size) const;
    // The arguments may be parts of the present block.
    void pack(std::span<const int> descriptors, std::string_view key, std::string_view roles,
              std::string_view note);

    std::unique_ptr<char[]> block_;  // the descriptors, the key, the roles, the note
    std::uint32_t note_size_ = 0;
    std::uint32_t key_size_ = 0;
    std::uint32_t roles_size_ = 0;
    std::uint8_t count_ = 0;  // of the descriptors
};

}  // namespace hob::keeper
