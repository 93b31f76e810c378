#pragma once
// A unit's log: <state>/<key>/log/<unit>.log, one JSON record a line:
//
//     {"ts":"2026-01-02T03:04:05.678Z","stream":"stdout","msg":"listening on 5432"}
//     {"ts":"…","stream":"stderr","data_b64":"gP8="}             the line is not UTF-8
//     {"ts":"…","stream":"stdout","msg":"aaaa…","partial":true}  the line continues in the stream's next
//     record
//     {"ts":"…","stream":"stdout","msg":"end","newline":false}   the stream has ended without a newline
//     {"ts":"…","stream":"stdout","run":12,"msg":"ok"}           output of a run of a task
//
// A line over limits::log_line_max bytes is kept in pieces, cut between characters if it is UTF-8. The joined
// pieces are the line, byte for byte, without its newline. Memory is bounded by one such piece for each
// stream. Errors of the disk are not thrown: see util/log/rotating_file.hpp.
//
// A line that stays unfinished, such as a question, is written after limits::log_partial_pause of silence, as
// a piece.

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limits.hpp"
#include "unit/process/output_spool.hpp"
#include "unit/spec/spec.hpp"
#include "util/log/rotating_file.hpp"
#include "util/timer.hpp"

namespace hob::unit {

struct log_limits {
    std::uint64_t max_size;
    int max_files;
};

// `max_size` and `max_files`, unless `keep.size` says how large all files together may be.
log_limits log_limits_of(const keep_spec& keep, std::uint64_t max_size, int max_files);

class unit_log {
public:
    // Creates the directory of `path`, not its parents. The first record creates the file. Without `executor`
    // an unfinished line is written only at the end of its stream.
    unit_log(std::string path, std::uint64_t max_size, int max_files,
             boost::asio::any_io_executor executor = {});
    ~unit_log();
    unit_log(const unit_log&) = delete;
    unit_log& operator=(const unit_log&) = delete;

    // `stream`: stdout, stderr, or hob for hob's own messages. The bytes may be cut anywhere: whole lines are
    // written at once, in few write(2)s; an unfinished line is kept until its end comes. `run`: the id of the
    // run that wrote them; 0: not a run.
    void write(std::string_view stream, std::string_view bytes, std::int64_t run = 0);

    // The end of a stream: writes its last line, even without a newline.
    void end(std::string_view stream, std::int64_t run = 0);

    // The output of `run` comes out of `spool`, and is committed to it once it is in the log. What a daemon
    // that was killed had written and not committed counts as committed, and the tail is as it was; write() is to
    // get what follows, spool->unlogged(). Call it before anything is written.
    void attach(std::int64_t run, std::shared_ptr<output_spool> spool);
    void detach(std::int64_t run);  // after the end of its streams
    // Among the last records of the file is this one of hob's own.
    bool has_told(std::string_view message, std::int64_t run) const;

    // The last `lines` lines of stderr, or of both streams, in limits::stderr_tail_bytes, without newlines,
    // including an unfinished one. The bytes as they came, so not always UTF-8. The first line is cut if the
    // lines are longer than what is kept.
    std::vector<std::string> tail(std::size_t lines = limits::stderr_tail_lines) const;
    // What was written of a line that has no record yet.
    std::string_view unfinished(std::string_view stream, std::int64_t run) const;
    void remember_stdout() { remembers_stdout_ = true; }
    // What tail() is made of.
    const std::string& remembered() const { return tail_; }
    void restore_remembered(std::string bytes) { tail_ = std::move(bytes); }
    void clear_tail();  // before a new process: the tail must not show lines of the old one

    // Calls `show` with each line of the unit's streams as well, without its newline; pieces of a long line
    // count as lines. `show` may be empty.
    void copy_lines(std::function<void(std::string_view line)> show) { show_ = std::move(show); }

    void set_limits(std::uint64_t max_size, int max_files);
    void set_limits(const log_limits& limits) { set_limits(limits.max_size, limits.max_files); }
    const std::string& path() const { return file_.path(); }
    std::uint64_t lost() const { return file_.lost(); }

private:
    struct pending_line {
        std::string stream;
        std::int64_t run;
        std::string bytes;
        std::uint64_t recorded = 0;  // bytes of the stream before these; they have records
        std::uint64_t line = 0;      // of those up to the end of the last whole line
        output_spool* spool = nullptr;
        std::chrono::steady_clock::time_point last_write{};
    };
    struct attached_spool {
        std::int64_t run;
        std::shared_ptr<output_spool> spool;
    };

    pending_line& begin_records(std::string_view stream, std::int64_t run);
    pending_line& pending_of(std::string_view stream, std::int64_t run);
    void watch_partial_lines();
    void write_partial_lines();
    void add_line(std::string_view line);
    void add_full_pieces(std::string_view& line);
    enum class line_end { newline, later, none };  // later: this is a piece of it; none: the stream has ended
    void add_record(std::string_view piece, line_end how);
    bool is_remembered(std::string_view stream) const {
        return stream == "stderr" || (remembers_stdout_ && stream == "stdout");
    }
    void remember(std::string_view bytes);
    std::size_t piece_max() const;
    void flush();

    util::rotating_file file_;
    std::uint64_t max_size_;
    std::vector<pending_line> pending_;  // at most one for each stream and run
    std::vector<attached_spool> spools_;
    std::size_t current_ = 0;            // of pending_: what the records of this call are of
    std::string batch_;                  // records of this call
    std::uint64_t batch_room_ = 0;       // a longer batch would be cut by a rotation
    std::string base_;                   // {"ts":"…","stream":"…"} of this call
    bool is_shown_ = false;              // the records of this call are
    std::function<void(std::string_view line)> show_;
    std::string tail_;  // the last bytes for tail()
    bool remembers_stdout_ = false;
    // Runs while a line is unfinished. Shared with its handler, which finds the log gone if this is.
    std::shared_ptr<util::timer> partial_timer_;
    bool partial_timer_runs_ = false;
};

}  // namespace hob::unit
