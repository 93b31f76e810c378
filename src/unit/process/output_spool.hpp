#pragma once
// The output of a process on its way from the pipe or terminal into the unit's log, in a memory file that the
// keeper holds as well. Whatever the instant at which the daemon is killed, the next one finds there all that
// was taken from the process, and how much of that is in the log.
//
//  - Bytes come from a pipe by splice(2), which writes them and, in the same system call, its offset in the
//    mapped file. From a terminal they are read into memory that was zero: what a daemon had read and not yet
//    counted ends at the last byte that is not.
//  - commit() writes down how much is in the log. There are two copies of that; a single store switches
//    between them.
//  - Each stream has two areas. When one is nearly full, what is still needed is copied to the other, so that
//    the file stays small.
//
// Everything runs on one thread.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "util/fd.hpp"
#include "util/log/rotating_file.hpp"

namespace hob::unit {

class output_spool {
public:
    static constexpr std::size_t stream_count = 2;  // of the output, of the errors

    // shared: who reads the process's output, and the log. nullptr: the kernel refuses it.
    static std::shared_ptr<output_spool> make();
    // What a daemon before this one has left. nullptr: it has another form.
    static std::shared_ptr<output_spool> adopt(util::unique_fd file);
    ~output_spool();
    output_spool(const output_spool&) = delete;
    output_spool& operator=(const output_spool&) = delete;

    int descriptor() const { return file_.get(); }

    // As read(2) from `source`, which does not block, of at most chunk_size bytes; `bytes` are valid until
    // the next call.
    static constexpr std::size_t chunk_size = 64u << 10;
    ssize_t take(std::size_t stream, int source, std::string_view& bytes);

    // Offsets count the bytes of the stream since the process began.
    std::uint64_t taken(std::size_t stream) const;
    std::uint64_t logged(std::size_t stream) const;
    // What is taken and not logged. Valid until the next take().
    std::string_view unlogged(std::size_t stream) const;
    // The beginning of a line that is logged without its end; at most limits::log_line_max bytes.
    std::string_view unfinished_line(std::size_t stream) const;

    const util::file_position& log() const;
    // The next record is about to be written there.
    void set_log(const util::file_position& log);
    // Bytes up to `logged` are in the log, which ends at `log`; the last whole line of them ends at `line`.
    void commit(std::size_t stream, std::uint64_t logged, std::uint64_t line, const util::file_position& log);

private:
    struct control;
    struct entry;
    explicit output_spool(util::unique_fd file) : file_(std::move(file)) {}
    bool map();
    control& shared() const { return *reinterpret_cast<control*>(memory_); }
    const entry& now() const;
    template <typename Change>
    void publish(const Change& change);
    std::string_view bytes(std::size_t stream, std::uint64_t from, std::uint64_t to) const;
    std::uint64_t needed_from(std::size_t stream) const;
    void make_room(std::size_t stream);
    void clear(std::size_t stream, std::size_t area);
    void clear_if_due(std::size_t stream, std::size_t area);
    void read_from_now_on(std::size_t stream);
    void find_read_bytes(std::size_t stream);

    util::unique_fd file_;
    char* memory_ = nullptr;
    std::size_t used_[stream_count][2] = {};  // bytes of each area that are or may be other than zero
    bool is_busy_[stream_count] = {};         // the last take() got a whole chunk
};

}  // namespace hob::unit
