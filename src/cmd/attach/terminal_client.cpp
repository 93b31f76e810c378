#include "cmd/attach/terminal_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "cmd/attach/leave_key.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/signal_reader.hpp"
#include "cmd/core/table.hpp"
#include "cmd/streams/input_mode.hpp"
#include "cmd/streams/output_queue.hpp"
#include "cmd/streams/stream_client.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/unit_state.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"
#include "util/terminal_modes.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view input_id = "2", resize_id = "3";

class terminal_client {
public:
    terminal_client(const terminal_session& session, std::string_view attach_id,
                    const ipc::incoming& attached)
        : session_(session),
          attach_id_(attach_id),
          attachment_(util::json_find_integer(attached.payload, {"attachment"}).value_or(0)),
          tty_(util::json_find_true(attached.payload, {"tty"})),
          typed_(::isatty(STDIN_FILENO) == 1),
          shown_(::isatty(STDOUT_FILENO) == 1),
          signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT},
          mode_(!typed_ ? input_mode::kind::unchanged
                : tty_  ? input_mode::kind::keys
                        : input_mode::kind::lines) {
        if (typed_)
            say(fmt::format("attached to '{}'; {} leaves", session_.unit,
                            tty_ ? "Ctrl-]" : "Ctrl-] or Ctrl-C"));
    }

    ~terminal_client() {
        mode_.restore();
        const std::string undo = modes_.leave_text();
        pollfd out{STDOUT_FILENO, POLLOUT, 0};
        if (shown_ && !undo.empty() && ::poll(&out, 1, 0) > 0) util::write_all(STDOUT_FILENO, undo);
        if (typed_ && failed_) util::write_all(STDERR_FILENO, "\n");
        if (typed_ && left_) say_plainly(fmt::format("left '{}'", session_.unit), "\n");
    }
    terminal_client(const terminal_client&) = delete;
    terminal_client& operator=(const terminal_client&) = delete;

    int follow() {
        while (!status_) {
            // The daemon keeps the output that it cannot send, and leaves out what is too old.
            if (output_.size() < limits::streamed_backlog_max) {
                if (const auto message = next_message()) {
                    on_message(*message);
                    continue;
                }
            }
            if (!over_ && time_to_leave()) over_ = 0;
            if (over_ && (output_.size() == 0 || left_)) status_ = over_;
            if (!status_) wait();
        }
        if (failed_) throw failure(*failed_);
        return *status_;
    }

private:
    std::optional<ipc::incoming> next_message() {
        if (over_) return std::nullopt;
        auto next = take_arrived(session_.daemon);
        if (next.closed)
            fail({session_.daemon.kind_of_loss(), cannot("attach", session_.unit), "the daemon ended",
                  fmt::format("{} attach {} attaches again", this_program.name, session_.unit)});
        return std::move(next.message);
    }

    void fail(failure why) {
        failed_.emplace(std::move(why));
        over_ = 1;
    }

    // By a key or a signal: what was not shown yet is not waited for.
    void leave(int status) {
        left_ = true;
        over_ = status;
    }

    bool time_to_leave() const { return leave_at_.expired() || quiet_at_.expired(); }

    // Until the next message, signal, or byte of input.
    void wait() {
        if (session_.limit.expired())
            throw failure(error_kind::timeout, cannot("attach", session_.unit), "the deadline is over");
        const bool reads_input = !over_ && !input_ended_ && (typed_ || (pending_.empty() && !input_sent_));
        const bool reads_daemon = !over_ && output_.size() < limits::streamed_backlog_max;
        const short output_events = output_.size() > 0 ? POLLOUT : 0;
        std::array<pollfd, 4> watched{{{reads_daemon ? session_.daemon.socket() : -1, POLLIN, 0},
                                       {signals_.fd(), POLLIN, 0},
                                       {STDOUT_FILENO, output_events, 0},
                                       {reads_input ? STDIN_FILENO : -1, POLLIN, 0}}};
        const auto limit = session_.limit.earlier(leave_at_).earlier(quiet_at_);
        if (::poll(watched.data(), watched.size(), limit.poll_timeout()) <= 0) return;
        if (watched[1].revents != 0) on_signal(signals_.next());
        if ((watched[2].revents & (POLLERR | POLLNVAL)) != 0) throw output_queue::reader_gone();
        if ((watched[2].revents & POLLOUT) != 0) modes_.feed(output_.write_some());
        if (watched[3].revents != 0 && !over_) read_input();
    }

    void on_signal(int number) {
        if (number == SIGWINCH || number == SIGCONT) {
            if (number == SIGCONT) mode_.apply();
            if (const auto size = input_size(); size && tty_) {
                util::json_object params;
                params.add("attachment", attachment_).add("rows", size->rows).add("columns", size->columns);
                request(resize_id, "service.resize", params);
            }
        } else if (number != 0) {
            // Ctrl-C is the way to leave where it is no key of the program.
            const bool by_key = number == SIGINT && typed_ && !tty_;
            leave(by_key ? 0 : 128 + number);
        }
    }

    void on_message(const ipc::incoming& message) {
        using kind = ipc::incoming::kind;
        if (message.what == kind::notification) {
            on_notification(message);
        } else if (message.id == attach_id_) {
            if (message.what == kind::error) return fail(ipc::failure_from_error(message.payload));
            on_end(message.payload);
        } else if (message.id == input_id) {
            on_input_answer(message);
        }
    }

    void on_notification(const ipc::incoming& message) {
        if (message.method == "service.output") {
            output_.add(output_bytes(message.payload));
            if (!quiet_at_.is_never()) pause_from_now();
        } else if (message.method == "service.skipped") {
            say(fmt::format("{} bytes are left out: this terminal reads too slowly",
                            util::json_find_integer(message.payload, {"bytes"}).value_or(0)));
        } else if (message.method == "service.state") {
            on_state(message.payload);
        }
    }

    // Of a state that a later version may know: nullopt.
    static std::optional<ipc::unit_state> state_in(std::string_view payload) {
        return ipc::unit_state_named(util::json_find_string(payload, {"state"}).value_or(""));
    }
    static std::string detail_in(std::string_view payload) {
        return util::json_find_string(payload, {"detail"}).value_or("");
    }

    void on_state(const std::string& params) {
        using ipc::unit_state;
        const auto state = state_in(params);
        if (state == unit_state::stopping) restarts_ = true;
        if (state == unit_state::backoff || state == unit_state::waiting) {
            const std::string why = detail_in(params);
            say(fmt::format("'{}' does not run{}{}", session_.unit, why.empty() ? "" : ": ", why));
            restarts_ = true;
        } else if (state == unit_state::starting || state == unit_state::ready) {
            if (std::exchange(restarts_, false)) say(fmt::format("'{}' starts again", session_.unit));
        }
    }

    void on_end(const std::string& result) {
        const bool failed = state_in(result) == ipc::unit_state::failed;
        const std::string why = detail_in(result);
        over_ = failed ? 1 : 0;
        say(fmt::format("'{}' has {}{}{}", session_.unit, failed ? "failed" : "stopped",
                        why.empty() ? "" : ": ", why));
    }

    void on_input_answer(const ipc::incoming& message) {
        input_sent_ = false;
        const bool open =
            message.what != ipc::incoming::kind::error && util::json_find_true(message.payload, {"open"});
        if (!open && !typed_) {
            return fail({error_kind::unit_failed, cannot("send input to", session_.unit),
                         "it has closed its standard input"});
        }
        if (!open) say(fmt::format("'{}' has closed its standard input", session_.unit));
        if (end_sent_) {
            leave_at_ = util::deadline::in(session_.linger.value_or(limits::attach_linger));
            if (!session_.linger) pause_from_now();
        }
        send_pending();
    }

    void pause_from_now() { quiet_at_ = util::deadline::in(limits::attach_silence); }

    void read_input() {
        const auto bytes = read_input_piece();
        if (!bytes) return;
        if (bytes->empty()) {
            input_ended_ = true;
            if (typed_) return leave(0);
            return send_pending();
        }
        const std::size_t left = typed_ ? find_leave_key(*bytes) : std::string::npos;
        // Keys for a program that reads none are lost, as on any terminal.
        if (pending_.size() < limits::terminal_input_max && (tty_ || left == std::string::npos))
            pending_ += bytes->substr(0, left);
        send_pending();
        if (left != std::string::npos) leave(0);
    }

    void send_pending() {
        if (input_sent_ || end_sent_ || (pending_.empty() && !input_ended_)) return;
        util::json_object params;
        params.add("attachment", attachment_);
        add_bytes(params, "data", pending_);
        params.add("end", input_ended_);
        pending_.clear();
        input_sent_ = true;
        end_sent_ = input_ended_;
        request(input_id, "service.input", params);
    }

    void request(std::string_view id, std::string_view method, const util::json_object& params) {
        try {
            session_.daemon.send(ipc::request_line(id, method, params.text()));
        } catch (const ipc::not_executed&) {
            input_ended_ = true;  // the daemon is gone: what it has sent last is still to be read
        }
    }

    // On a line of its own, also where the mode of the terminal does not return the carriage. On a terminal
    // it comes after what the service wrote before.
    void say(const std::string& text) {
        if (!shown_) return say_plainly(text);
        const bool raw = typed_ && tty_;
        if (!session_.quiet)
            output_.add(fmt::format("{}[{}] {}\r\n", raw ? "\r" : "", this_program.name,
                                    printable(text, out_terminal().utf8)));
    }
    void say_plainly(const std::string& text, std::string_view before = "") const {
        if (session_.quiet) return;
        util::write_all(STDERR_FILENO, fmt::format("{}[{}] {}\n", before, this_program.name, text));
    }

    const terminal_session& session_;
    const std::string_view attach_id_;
    const std::int64_t attachment_;
    const bool tty_;    // the service has a terminal
    const bool typed_;  // standard input is one
    const bool shown_;  // standard output is one
    signal_reader signals_;
    input_mode mode_;
    util::terminal_modes modes_;  // of this terminal
    output_queue output_;
    std::string pending_;      // input that is not sent yet
    bool input_sent_ = false;  // and not answered yet
    bool input_ended_ = false;
    bool end_sent_ = false;
    util::deadline leave_at_ = util::deadline::never();
    util::deadline quiet_at_ = util::deadline::never();
    bool restarts_ = false;  // it has no process, and is going to have one
    bool left_ = false;
    std::optional<int> over_;  // the status, once nothing more comes
    std::optional<int> status_;
    std::optional<failure> failed_;
};

}  // namespace

int follow_terminal(const terminal_session& session, std::string_view attach_id,
                    const ipc::incoming& attached) {
    try {
        return terminal_client(session, attach_id, attached).follow();
    } catch (const output_queue::reader_gone&) {
        return 128 + SIGPIPE;
    }
}

}  // namespace hob::cmd
