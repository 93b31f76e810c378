#pragma once
// Following a rotated log as it grows: across rotation, truncation, removal, and restarts of its writer.
// Waits with inotify; where inotify is not available, polls.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/log/log_reader.hpp"

namespace hob::util {

class log_follower {
public:
    enum class waits { here, elsewhere };  // elsewhere: the owner knows when to call drain(), not wait()

    // Begins at byte `from` of `current`. If that has no descriptor: at the beginning of the file, once there
    // is one.
    log_follower(std::string path, open_log current, off_t from, waits where = waits::here);

    // Calls `sink` with every new complete line. False: the sink stopped it. Throws failure(denied).
    bool drain(const line_sink& sink);
    // As above, but returns after about `bytes` of the log: there may be more.
    enum class progress { all, more, stopped };
    progress drain_some(const line_sink& sink, std::size_t bytes);
    // Whether the log was rotated away before it was read, since the last call.
    bool take_loss() { return std::exchange(lost_, false); }

    enum class wake_reason { readable, reader_gone, deadline };
    // Waits until drain() may find something, or nobody reads `output` (a descriptor that we write to) any
    // more.
    // `also`: another descriptor that ends the wait when it is readable; -1: none.
    wake_reason wait(int output, deadline limit, int also = -1) {
        return wait_any({this}, output, limit, also);
    }
    // The same for several logs.
    static wake_reason wait_any(const std::vector<log_follower*>& logs, int output, deadline limit,
                                int also = -1);

    // Why inotify is not used, or empty. Known after the first drain().
    const std::string& polling() const { return polling_; }

private:
    void watch_directory();
    void watch_file();
    progress read_new(const line_sink& sink, std::size_t& budget);
    progress finish_file(const line_sink& sink, std::size_t& budget);
    bool at_path(bool& absent) const;
    bool next_file();
    void begin_file(open_log log, off_t from);
    bool truncated();
    void give_up_inotify(int error_number);

    std::string path_;
    open_log current_;
    off_t offset_ = 0;
    std::string head_;     // the first bytes of the file: if they change, it was truncated and rewritten
    std::string pending_;  // the beginning of an unfinished line
    bool at_end_ = false;  // the last read came to the end of the file
    unique_fd inotify_;
    int directory_watch_ = -1;
    int file_watch_ = -1;
    std::string polling_;
    bool lost_ = false;
};

}  // namespace hob::util
