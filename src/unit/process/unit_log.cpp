#include "unit/process/unit_log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "limits.hpp"
#include "unit/process/spool_recovery.hpp"
#include "util/base64.hpp"
#include "util/clock.hpp"
#include "util/json/json_writer.hpp"
#include "util/utf8.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// The size of a record without its line, and how much longer JSON may make a line: a control byte becomes
// \u00XX.
constexpr std::size_t record_overhead = 128;
constexpr std::size_t escape_growth = 6;
constexpr std::size_t piece_min = 16;
constexpr std::uint64_t kept_file_min = 4u << 10;  // as [log] max_size
constexpr std::size_t batch_max = 256u << 10;      // bytes of records before they are written

// The members that all records of one call have, as an object.
std::string record_base(std::string_view stream, std::int64_t run = 0) {
    util::json_object base;
    base.add("ts", util::rfc3339(std::chrono::system_clock::now())).add("stream", stream);
    if (run != 0) base.add("run", run);
    return std::move(base).text();
}

std::string loss_note(std::uint64_t lost, std::string_view reason) {
    std::string message = "lost " + std::to_string(lost) + (lost == 1 ? " record: " : " records: ");
    message.append(reason);
    util::json_object note(util::raw_json{record_base("hob")});
    note.add("msg", message).add("lost", lost);
    return std::move(note).text() + '\n';
}

// `size` or a little less, so that no UTF-8 character of `bytes` is cut in two.
std::size_t character_boundary(std::string_view bytes, std::size_t size) {
    std::size_t start = size;
    for (int back = 0; back < 4 && start > 0; ++back) {
        if ((static_cast<unsigned char>(bytes[start]) & 0xC0) != 0x80) return start;
        --start;
    }
    return size;
}

// The size of `bytes` without a UTF-8 character at the end whose rest has not come yet.
std::size_t without_cut_character(std::string_view bytes) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xC0) == 0x80) continue;
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return length > back ? bytes.size() - back : bytes.size();
    }
    return bytes.size();
}

// Reading from there to here takes a while.
bool is_far_from(const util::file_position& one, const util::file_position& other) {
    constexpr std::uint64_t far = 256u << 10;
    return one.inode != other.inode || one.device != other.device || other.size - one.size > far;
}

std::size_t spooled_stream(std::string_view stream) { return stream == "stdout" ? 0 : 1; }

}  // namespace

log_limits log_limits_of(const keep_spec& keep, std::uint64_t max_size, int max_files) {
    if (!keep.size) return {max_size, max_files};
    const auto files = static_cast<int>(
        std::clamp<std::uint64_t>(*keep.size / kept_file_min, 1, static_cast<std::uint64_t>(max_files)));
    return {*keep.size / static_cast<std::uint64_t>(files), files};
}

unit_log::unit_log(std::string path, std::uint64_t max_size, int max_files, asio::any_io_executor executor)
    : file_(std::move(path), max_size, max_files, loss_note), max_size_(max_size) {
    if (executor) partial_timer_ = std::make_shared<util::timer>(executor);
    const auto slash = file_.path().rfind('/');
    if (slash != std::string::npos && slash > 0) ::mkdir(file_.path().substr(0, slash).c_str(), 0700);
}

unit_log::~unit_log() = default;

void unit_log::set_limits(std::uint64_t max_size, int max_files) {
    max_size_ = max_size;
    file_.set_limits(max_size, max_files);
}

void unit_log::write(std::string_view stream, std::string_view bytes, std::int64_t run) {
    if (bytes.empty()) return;
    if (is_remembered(stream)) remember(bytes);
    std::string& pending = begin_records(stream, run).bytes;
    for (;;) {
        const void* newline = std::memchr(bytes.data(), '\n', bytes.size());
        if (newline == nullptr) break;
        const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data());
        if (pending.empty()) {
            add_line(bytes.substr(0, length));
        } else {
            pending.append(bytes.substr(0, length));
            add_line(pending);
            pending.clear();
        }
        bytes.remove_prefix(length + 1);
        if (bytes.empty()) break;
    }
    pending.append(bytes);
    std::string_view rest = pending;
    add_full_pieces(rest);
    pending.erase(0, pending.size() - rest.size());
    flush();
    if (pending.empty()) return;
    pending_[current_].last_write = std::chrono::steady_clock::now();
    watch_partial_lines();
}

// One timer for all streams. It is not set again by each write: it checks when it has expired how long the
// silence was.
void unit_log::watch_partial_lines() {
    if (!partial_timer_ || partial_timer_runs_) return;
    const bool unfinished = std::any_of(pending_.begin(), pending_.end(),
                                        [](const pending_line& line) { return !line.bytes.empty(); });
    if (!unfinished) return;
    partial_timer_runs_ = true;
    partial_timer_->expires_after(limits::log_partial_pause);
    partial_timer_->async_wait(
        [this, timer = std::weak_ptr(partial_timer_)](boost::system::error_code error) {
            if (error || timer.expired()) return;
            partial_timer_runs_ = false;
            write_partial_lines();
            watch_partial_lines();
        });
}

void unit_log::write_partial_lines() {
    const auto silent_since = std::chrono::steady_clock::now() - limits::log_partial_pause;
    for (auto& line : pending_) {
        const std::size_t size = without_cut_character(line.bytes);
        if (line.last_write > silent_since || size == 0) continue;
        begin_records(line.stream, line.run);
        add_record(std::string_view(line.bytes).substr(0, size), line_end::later);
        line.bytes.erase(0, size);
        flush();
    }
}

void unit_log::end(std::string_view stream, std::int64_t run) {
    pending_line& line = begin_records(stream, run);
    if (!line.bytes.empty()) {
        std::string_view rest = line.bytes;
        add_full_pieces(rest);
        add_record(rest, line_end::none);
        flush();
    }
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(current_));
}

void unit_log::attach(std::int64_t run, std::shared_ptr<output_spool> spool) {
    if (recover_log(*spool, file_.path(), run)) file_.reopen();
    if (spool->logged(0) + spool->logged(1) > 0) {
        read_last_records(file_.path(), [&](const util::log_record& record) {
            if (record.run == run && is_remembered(record.stream))
                remember(record.message + (record.partial ? "" : "\n"));
        });
    }
    spools_.push_back({run, std::move(spool)});
}

void unit_log::detach(std::int64_t run) {
    for (auto& line : pending_)
        if (line.run == run) line.spool = nullptr;
    std::erase_if(spools_, [run](const attached_spool& each) { return each.run == run; });
}

bool unit_log::has_told(std::string_view message, std::int64_t run) const {
    bool found = false;
    read_last_records(file_.path(), [&](const util::log_record& record) {
        found = found || (record.stream == "hob" && record.run == run && record.message == message);
    });
    return found;
}

unit_log::pending_line& unit_log::begin_records(std::string_view stream, std::int64_t run) {
    base_ = record_base(stream, run);
    is_shown_ = show_ && stream != "hob";
    pending_line& line = pending_of(stream, run);
    current_ = static_cast<std::size_t>(&line - pending_.data());
    return line;
}

unit_log::pending_line& unit_log::pending_of(std::string_view stream, std::int64_t run) {
    for (auto& pending : pending_) {
        if (pending.stream == stream && pending.run == run) return pending;
    }
    pending_line& added = pending_.emplace_back(pending_line{std::string(stream), run, {}});
    if (spools_.empty() || stream == "hob") return added;
    const auto found = std::find_if(spools_.begin(), spools_.end(),
                                    [run](const attached_spool& each) { return each.run == run; });
    if (found == spools_.end()) return added;
    added.spool = found->spool.get();
    added.recorded = added.spool->logged(spooled_stream(stream));
    added.line = added.recorded - added.spool->unfinished_line(spooled_stream(stream)).size();
    return added;
}

// The record of a piece fits into one file, so that no record is ever cut.
std::size_t unit_log::piece_max() const {
    const std::uint64_t fits =
        max_size_ > record_overhead ? (max_size_ - record_overhead) / escape_growth : 0;
    return std::clamp<std::uint64_t>(fits, piece_min, limits::log_line_max);
}

void unit_log::add_line(std::string_view line) {
    add_full_pieces(line);
    add_record(line, line_end::newline);
}

void unit_log::add_full_pieces(std::string_view& line) {
    const std::size_t max = piece_max();
    while (line.size() > max) {
        const std::size_t size = character_boundary(line, max);
        add_record(line.substr(0, size), line_end::later);
        line.remove_prefix(size);
    }
}

void unit_log::add_record(std::string_view piece, line_end how) {
    if (is_shown_) show_(piece);
    util::json_object record(util::raw_json{base_});
    if (util::is_utf8(piece)) {
        record.add("msg", piece);
    } else {
        record.add("data_b64", util::base64_encode(piece));
    }
    if (how == line_end::later) record.add("partial", true);
    // Of hob's own messages it says nothing.
    if (how == line_end::none && pending_[current_].stream != "hob") record.add("newline", false);
    const std::string text = std::move(record).text() + '\n';
    pending_line& line = pending_[current_];
    if (line.spool && batch_.size() + text.size() > batch_room_) flush();
    if (line.spool && batch_.empty()) batch_room_ = file_.room();
    batch_.append(text);
    line.recorded += piece.size() + (how == line_end::newline ? 1 : 0);
    if (how != line_end::later) line.line = line.recorded;
    if (batch_.size() >= batch_max) flush();
}

// Of a stream with a spool, it is known before each write which records come to which place of which file.
void unit_log::flush() {
    if (batch_.empty()) return;
    const pending_line& line = pending_[current_];
    if (line.spool) {
        file_.make_room(batch_.size());
        if (line.spool->log() != file_.position()) line.spool->set_log(file_.position());
    }
    file_.append(batch_);
    batch_.clear();
    const util::file_position end = file_.position();
    if (line.spool) line.spool->commit(spooled_stream(line.stream), line.recorded, line.line, end);
    // A run that is silent while others write a lot: none of that is its own.
    for (const auto& [run, spool] : spools_) {
        if (is_far_from(spool->log(), end)) spool->set_log(end);
    }
}

void unit_log::remember(std::string_view bytes) {
    constexpr std::size_t keep = limits::stderr_tail_bytes;
    if (bytes.size() > keep) bytes.remove_prefix(bytes.size() - keep);
    if (tail_.size() + bytes.size() > 2 * keep) tail_.erase(0, tail_.size() - std::min(keep, tail_.size()));
    tail_.append(bytes);
}

std::vector<std::string> unit_log::tail(std::size_t lines) const {
    std::string_view rest = tail_;
    if (rest.empty()) return {};
    if (rest.size() > limits::stderr_tail_bytes) rest.remove_prefix(rest.size() - limits::stderr_tail_bytes);
    if (rest.back() == '\n') rest.remove_suffix(1);
    std::vector<std::string> found;
    while (found.size() < lines) {
        const auto newline = rest.rfind('\n');
        found.emplace_back(newline == std::string_view::npos ? rest : rest.substr(newline + 1));
        if (newline == std::string_view::npos) break;
        rest = rest.substr(0, newline);
    }
    std::reverse(found.begin(), found.end());
    return found;
}

std::string_view unit_log::unfinished(std::string_view stream, std::int64_t run) const {
    for (const auto& pending : pending_) {
        if (pending.stream == stream && pending.run == run) return pending.bytes;
    }
    return {};
}

void unit_log::clear_tail() { tail_.clear(); }

}  // namespace hob::unit
