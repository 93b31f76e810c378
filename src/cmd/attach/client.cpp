#include "cmd/attach/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

#include "cmd/attach/terminal_client.hpp"
#include "cmd/streams/input_mode.hpp"
#include "cmd/streams/output_queue.hpp"
#include "cmd/streams/stream_client.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view attach_id = "1", input_id = "2";

// An earlier version has only the method for workers.
constexpr std::int64_t no_such_method = -32601;

std::string attach_params(const std::string& unit) {
    util::json_object params;
    params.add("unit", unit).add("typed", ::isatty(STDIN_FILENO) == 1);
    params.add("recent", ::isatty(STDOUT_FILENO) == 1);
    if (const auto size = input_size()) params.add("rows", size->rows).add("columns", size->columns);
    return std::move(params).text();
}

class bridge {
public:
    bridge(ipc::client& daemon, const attach_options& options, util::deadline limit)
        : daemon_(daemon), unit_(options.unit), for_services_(options.linger.has_value()), limit_(limit) {}

    // nullopt: the unit is a service, and attached() is what the daemon has said about it.
    std::optional<int> follow() {
        daemon_.send(ipc::request_line(attach_id, "unit.attach", attach_params(unit_)));
        while (!over()) {
            if (attached_) return std::nullopt;
            // The output that waits to be written is bounded: the daemon keeps the rest, or leaves it out.
            if (unwritten() < limits::streamed_backlog_max) {
                if (const auto message = next_message()) {
                    on_message(*message);
                    continue;
                }
            }
            wait();
        }
        while (unwritten() > 0)
            wait();
        if (failed_) throw failure(*failed_);
        return status_;
    }

    const ipc::incoming& attached() const { return *attached_; }

private:
    enum class input_state {
        readable,
        sent,  // the daemon has not taken the last piece yet
        ended,
    };

    bool over() const { return status_ || failed_; }
    std::size_t unwritten() const { return output_.size(); }

    std::optional<ipc::incoming> next_message() {
        auto next = take_arrived(daemon_);
        // The output that came before the end is still written.
        if (!next.closed) return std::move(next.message);
        // Nothing of the input is read before it is attached.
        if (attachment_ == 0 && !daemon_.told_of_end()) throw ipc::not_executed();
        failed_.emplace(daemon_.kind_of_loss(), cannot("attach", unit_), "the daemon ended",
                        fmt::format("{} attach {} attaches again", this_program.name, unit_));
        return std::nullopt;
    }

    void wait() {
        if (limit_.expired()) {
            throw failure(error_kind::timeout, cannot("attach", unit_), "the deadline is over");
        }
        const bool reads_input = !over() && attachment_ != 0 && input_ == input_state::readable;
        const bool reads_daemon = !over() && unwritten() < limits::streamed_backlog_max;
        const short output_events = unwritten() > 0 ? POLLOUT : 0;
        std::array<pollfd, 3> watched{{{reads_daemon ? daemon_.socket() : -1, POLLIN, 0},
                                       {STDOUT_FILENO, output_events, 0},
                                       {reads_input ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), limit_.poll_timeout()) <= 0) return;
        if ((watched[1].revents & (POLLERR | POLLNVAL)) != 0) throw output_queue::reader_gone();
        if ((watched[1].revents & POLLOUT) != 0) output_.write_some();
        if (watched[2].revents != 0) send_input();
    }

    void on_message(const ipc::incoming& message) {
        if (message.what == ipc::incoming::kind::notification) {
            if (message.method == "worker.attached") {
                attachment_ = util::json_find_integer(message.payload, {"attachment"}).value_or(0);
                if (for_services_)
                    failed_.emplace(error_kind::usage, cannot("use", "--linger", "for '" + unit_ + "'"),
                                    "it is a worker: its editor ends the attachment");
            } else if (message.method == "worker.output") {
                output_.add(output_bytes(message.payload));
            } else if (message.method == "service.attached") {
                attached_ = message;
            }
        } else if (message.id == attach_id) {
            on_attach_answer(message);
        } else if (message.id == input_id) {
            on_input_answer(message);
        }
    }

    void on_attach_answer(const ipc::incoming& message) {
        if (message.what != ipc::incoming::kind::error) {
            status_ = static_cast<int>(util::json_find_integer(message.payload, {"status"}).value_or(0));
            return;
        }
        if (util::json_find_integer(message.payload, {"code"}) == no_such_method) {
            daemon_.send(
                ipc::request_line(attach_id, "worker.attach", util::json_object().add("unit", unit_).text()));
            return;
        }
        failed_.emplace(ipc::failure_from_error(message.payload));
        if (ipc::is_draining_refusal(*failed_)) throw ipc::not_executed();
    }

    void on_input_answer(const ipc::incoming& message) {
        const bool open =
            message.what != ipc::incoming::kind::error && util::json_find_true(message.payload, {"open"});
        if (!open) {
            input_ = input_state::ended;
        } else if (input_ == input_state::sent) {
            input_ = input_state::readable;
        }
    }

    void send_input() {
        const auto bytes = read_input_piece();
        if (!bytes) return;
        input_ = bytes->empty() ? input_state::ended : input_state::sent;
        util::json_object params;
        params.add("attachment", attachment_);
        add_bytes(params, "data", *bytes);
        params.add("end", bytes->empty());
        try {
            daemon_.send(ipc::request_line(input_id, "worker.input", std::move(params).text()));
        } catch (const ipc::not_executed&) {
            input_ = input_state::ended;  // the daemon is gone; its last output is still to be read
        }
    }

    ipc::client& daemon_;
    const std::string& unit_;
    const bool for_services_;  // an option was given that workers do not have
    util::deadline limit_;
    std::int64_t attachment_ = 0;  // 0: not attached yet
    std::optional<ipc::incoming> attached_;
    output_queue output_;
    input_state input_ = input_state::readable;
    std::optional<int> status_;
    std::optional<failure> failed_;
};

}  // namespace

int follow_attachment(ipc::client& daemon, const attach_options& options, util::deadline limit) {
    try {
        bridge editor(daemon, options, limit);
        if (const auto status = editor.follow()) return *status;
        const terminal_session session{daemon, options.unit, limit, options.quiet, options.linger};
        return follow_terminal(session, attach_id, editor.attached());
    } catch (const output_queue::reader_gone&) {
        return 128 + SIGPIPE;
    }
}

}  // namespace hob::cmd
