#pragma once
// A file of lines that is rotated by size and count: PATH, PATH.1 (the newest of the old ones) …
// PATH.(max_files - 1).
//
// What it promises:
//  - Never more than max_size x max_files bytes. A record that would not fit rotates first; one that is
//  larger than
//    max_size is cut. max_files 1: the file is truncated instead of renamed. Files of an earlier, larger
//    setting are removed when the file is first opened.
//  - Never blocks and never throws. What cannot be written (a full disk, a directory that is gone, a file
//  that is
//    not ours) is dropped and counted, and the first record that can be written again is preceded by a note
//    that says how many were lost. Half a record is taken back.
//  - The file is opened at the first append, 0600; it is a regular file of this user, and no symlink, or it
//  is refused.
//  - That the file was removed, renamed or replaced by somebody is noticed by the first append that comes a
//  second
//    or more after the last look, and begins a new file. There is no timer.
//
// One writer a file: the daemon's state lock sees to that. Not thread-safe.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "util/fd.hpp"

namespace hob::util {

class rotating_file {
public:
    // Makes the line (with its newline) that says that `lost` records were dropped because of `reason`.
    using note_maker = std::function<std::string(std::uint64_t lost, std::string_view reason)>;

    rotating_file(std::string path, std::uint64_t max_size, int max_files, note_maker make_note);

    // One or more records, each ending in a newline. False: some were lost, and problem() says why.
    bool append(std::string_view records) noexcept;

    // What is there beyond the new limits goes at the next append.
    void set_limits(std::uint64_t max_size, int max_files);

    const std::string& path() const { return path_; }
    std::uint64_t lost() const { return lost_; }  // records dropped and not yet told about in the file
    // Why the last append failed, such as "cannot open '/x/daemon.log': not a regular file"; empty when it
    // did not.
    const std::string& problem() const { return problem_; }

private:
    bool ready();
    bool open();
    bool rotate();
    bool prune();
    bool append_or_throw(std::string_view records);
    std::size_t write_records(std::string_view records, std::size_t at_least);
    std::size_t write_at_end(std::string_view bytes, std::size_t at_least);
    bool refuse(std::string_view verb, std::string_view reason);
    std::string numbered(int number) const;

    std::string path_;
    std::uint64_t max_size_;
    int max_files_;
    note_maker make_note_;
    unique_fd fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::uint64_t size_ = 0;
    bool torn_ = false;    // the file ends in half a record that could not be taken back
    bool pruned_ = false;  // nothing beyond the limits is left
    std::chrono::steady_clock::time_point looked_{};
    std::uint64_t lost_ = 0;
    std::string reason_;  // of the losses not yet told
    std::string problem_;
};

}  // namespace hob::util
