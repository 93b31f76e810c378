#pragma once
// A file of lines that is rotated by size and count: PATH, PATH.1 (the newest of the old ones) …
// PATH.(max_files - 1).
//
// Guarantees:
//  - The files never hold more than max_size x max_files bytes. A record that does not fit rotates first; a
//    record larger than max_size is cut. max_files 1: the file is truncated instead of renamed. Files beyond
//    the limits, left by larger earlier settings, are removed when the file is first opened.
//  - It never blocks and never throws. Records that cannot be written (a full disk, a missing directory, a
//    file of another user) are dropped and counted, and the next record that can be written is preceded by a
//    note with that count. A partly written record is removed again.
//  - The file is opened at the first append, 0600. Anything but a regular file of this user is refused, and
//    so is a symbolic link.
//  - If the file was removed, renamed or replaced, the first append a second or more after the last check
//    notices it and begins a new file. There is no timer.
//
// Each file has one writer, which the daemon's state lock ensures. Not thread-safe.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "util/fd.hpp"

namespace hob::util {

// The numbers N of the existing files PATH.N, ascending.
std::vector<int> rotated_numbers(const std::string& path);

// The end of a file.
struct file_position {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;

    bool operator==(const file_position&) const = default;
};

class rotating_file {
public:
    // Composes the line (with its newline) saying that `lost` records were dropped because of `reason`.
    using note_maker = std::function<std::string(std::uint64_t lost, std::string_view reason)>;

    rotating_file(std::string path, std::uint64_t max_size, int max_files, note_maker make_note);

    // One or more records, each ending in a newline. False: some were lost, and problem() says why.
    bool append(std::string_view records) noexcept;

    // For those that must know what is in which file: records that fit into room() are appended to the present
    // file. make_room() rotates it if `size` bytes do not fit, so that position() is where append() will
    // write them. The position is all 0 while no file is open.
    std::uint64_t room() noexcept;
    void make_room(std::uint64_t size) noexcept;
    file_position position() const;
    void reopen() { fd_.reset(); }  // another has changed the file

    // Data beyond the new limits is removed at the next append.
    void set_limits(std::uint64_t max_size, int max_files);

    const std::string& path() const { return path_; }
    std::uint64_t lost() const { return lost_; }  // records dropped since the last note
    // Why the last append failed, such as "cannot open '/x/daemon.log': not a regular file"; empty if it
    // succeeded.
    const std::string& problem() const { return problem_; }

private:
    bool ready();
    bool open();
    bool rotate();
    bool prune();
    bool append_or_throw(std::string_view records);
    std::uint64_t present_room() const;
    std::uint64_t note_size() const;  // of the note that precedes the next record
    std::size_t write_records(std::string_view records, std::size_t at_least);
    std::size_t write_at_end(std::string_view bytes, std::size_t at_least);
    bool fail(std::string_view verb, std::string_view reason);
    std::string numbered(int number) const;

    std::string path_;
    std::uint64_t max_size_;
    int max_files_;
    note_maker make_note_;
    unique_fd fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::uint64_t size_ = 0;
    bool torn_ = false;    // the file ends in a partial record that could not be removed
    bool pruned_ = false;  // no data beyond the limits is left
    std::chrono::steady_clock::time_point checked_{};
    std::uint64_t lost_ = 0;
    std::string reason_;  // of the losses since the last note
    std::string problem_;
};

}  // namespace hob::util
