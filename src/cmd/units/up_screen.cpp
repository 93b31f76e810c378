#include "cmd/units/up_screen.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/run_state.hpp"
#include "ipc/unit_state.hpp"
#include "util/json/json_edit.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::cmd {
namespace {

std::string with_reason(std::string text, const std::string& reason) {
    return reason.empty() ? text : text + ": " + reason;
}

// Empty: not worth a line.
std::string text_of_state(ipc::unit_state state, std::int64_t pid, const std::string& reason) {
    switch (state) {
        case ipc::unit_state::ready:
        case ipc::unit_state::warm:
            return pid > 0 ? fmt::format("is ready (pid {})", pid) : "is ready";
        case ipc::unit_state::waiting:
            return "waits for other units";
        case ipc::unit_state::running:
            return "runs";
        case ipc::unit_state::stopping:
            return reason.empty() ? std::string() : "stops: " + reason;
        case ipc::unit_state::backoff:
            return with_reason("has ended", reason);
        case ipc::unit_state::failed:
            return with_reason("has failed", reason);
        case ipc::unit_state::stopped:
        case ipc::unit_state::cold:
            return "has stopped";
        case ipc::unit_state::starting:
        case ipc::unit_state::idle:
        case ipc::unit_state::scheduled:
        case ipc::unit_state::queued:
        case ipc::unit_state::held:
            return {};
    }
    return {};
}

std::string text_of_run(std::string_view to) {
    const auto state = ipc::run_state_named(to);
    if (!state || *state == ipc::run_state::running) return {};
    return *state == ipc::run_state::ok ? "has ended" : fmt::format("has ended: {}", to);
}

// "web is ready (pid 12)"; empty: not worth a line.
std::string text_of_event(std::string_view payload) {
    const std::string event = util::json_find_string(payload, {"event"}).value_or("");
    const std::string to = util::json_find_string(payload, {"to"}).value_or("");
    std::string text;
    if (event == "run.state") text = text_of_run(to);
    if (event == "unit.state") {
        if (const auto state = ipc::unit_state_named(to))
            text = text_of_state(*state, util::json_find_integer(payload, {"pid"}).value_or(0),
                                 util::json_find_string(payload, {"reason"}).value_or(""));
    }
    if (text.empty()) return {};
    return util::json_find_string(payload, {"unit"}).value_or("") + " " + text;
}

bool is_same_file(int one, int other) {
    struct stat a {
    }, b{};
    return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// As much as can be written now. False: an error in errno.
bool write_from(std::string& queue, const util::live_output& to) {
    std::size_t written = 0;
    while (written < queue.size()) {
        const auto n = to.write(std::string_view(queue).substr(written));
        if (!n) return false;
        if (*n == 0) break;
        written += *n;
    }
    queue.erase(0, written);
    return true;
}

}  // namespace

up_screen::up_screen(bool json, bool quiet)
    : json_(json),
      quiet_(quiet),
      style_(log_style_for_output(log_format::brief)),
      prefix_(style_.out),
      out_(STDOUT_FILENO),
      err_(STDERR_FILENO),
      err_is_out_(is_same_file(STDOUT_FILENO, STDERR_FILENO)) {}

void up_screen::show_record(const std::string& unit, std::string_view line) {
    const util::log_record record = util::parse_log_record(line);
    if (json_) {
        queue_ += log_record_json(record, line, unit);
    } else if (is_shown(record, style_.format)) {
        queue_ += prefix_.of(unit) + program_text(record.message, style_) + "\n";
    }
}

void up_screen::show_event(std::string_view payload) {
    if (json_) {
        queue_ += std::string(payload) + "\n";
    } else if (const std::string text = text_of_event(payload); !text.empty()) {
        say(text);
    }
}

void up_screen::say(std::string_view text) {
    if (quiet_ || json_) return;
    const terminal& out = style_.out;
    if (out.interactive) {
        prefix_.add(this_program.name);
        queue_ += prefix_.of(this_program.name) + paint(printable(text, out.utf8), "1", out.color) + "\n";
        return;
    }
    std::string& to = err_is_out_ ? queue_ : notes_;
    to += fmt::format("{}: {}\n", this_program.name, printable(text, err_terminal().utf8));
}

void up_screen::write() {
    if (!gone_ && !write_from(queue_, out_)) {
        if (errno != EPIPE && errno != EIO) throw denied("write", "standard output", errno);
        gone_ = true;
    }
    if (gone_) queue_.clear();
    if (!write_from(notes_, err_)) notes_.clear();
}

pollfd up_screen::output() const {
    return {gone_ ? -1 : out_.descriptor(), queue_.empty() ? short{0} : short{POLLOUT}, 0};
}

pollfd up_screen::error_output() const { return {notes_.empty() ? -1 : err_.descriptor(), POLLOUT, 0}; }

}  // namespace hob::cmd
