#include "cmd/attach/client.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "cmd/streams/stream_client.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/draining.hpp"
#include "limits.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view attach_id = "1", input_id = "2";

class bridge {
public:
    bridge(ipc::client& daemon, const std::string& unit, util::deadline limit)
        : daemon_(daemon), unit_(unit), limit_(limit) {}

    int follow() {
        daemon_.send(ipc::request_line(attach_id, "worker.attach",
                                       fmt::format(R"({{"unit":{}}})", util::json_quote(unit_))));
        while (!status_ && !failed_) {
            // What waits for our reader is bounded: the daemon keeps, or leaves out, the rest.
            if (pending_.size() - written_ < limits::streamed_backlog_max) {
                if (const auto message = buffered()) {
                    take(*message);
                    continue;
                }
            }
            wait();
        }
        while (written_ < pending_.size())
            wait();
        if (failed_) throw failure(*failed_);
        return *status_;
    }

private:
    std::optional<ipc::incoming> buffered() {
        auto next = take_arrived(daemon_);
        // What it said before is written first.
        if (next.closed)
            failed_.emplace(error_kind::no_daemon,
                            fmt::format("cannot attach '{}': the daemon ended", unit_));
        return std::move(next.message);
    }

    void wait() {
        if (limit_.expired()) {
            throw failure(error_kind::timeout, fmt::format("cannot attach '{}': the time is over", unit_));
        }
        const bool over = status_ || failed_;
        const std::size_t waiting = pending_.size() - written_;
        const bool reads = !over && attachment_ != 0 && !input_ended_ && !input_pending_;
        const bool hears = !over && waiting < limits::streamed_backlog_max;
        const short writes = waiting > 0 ? POLLOUT : 0;
        std::array<pollfd, 3> watched{{{hears ? daemon_.socket() : -1, POLLIN, 0},
                                       {STDOUT_FILENO, writes, 0},
                                       {reads ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), limit_.poll_timeout()) <= 0) return;
        if ((watched[1].revents & (POLLERR | POLLNVAL)) != 0) throw reader_gone();
        if ((watched[1].revents & POLLOUT) != 0) write_some();
        if (watched[2].revents != 0) send_input();
    }

    void take(const ipc::incoming& message) {
        using kind = ipc::incoming::kind;
        if (message.what == kind::notification) {
            if (message.method == "worker.attached") {
                attachment_ = util::json_find_integer(message.payload, {"attachment"}).value_or(0);
            } else if (message.method == "worker.output") {
                keep(message.payload);
            }
        } else if (message.id == attach_id) {
            if (message.what == kind::error) {
                failed_.emplace(ipc::failure_from_error(message.payload));
                if (ipc::is_draining_refusal(*failed_)) throw ipc::not_executed();
            } else {
                status_ = static_cast<int>(util::json_find_integer(message.payload, {"status"}).value_or(0));
            }
        } else if (message.id == input_id) {
            input_pending_ = false;
            if (message.what == kind::error || !util::json_find_true(message.payload, {"open"}))
                input_ended_ = true;
        }
    }

    void keep(const std::string& params) {
        if (written_ == pending_.size()) {
            pending_.clear();
            written_ = 0;
        }
        pending_ += output_bytes(params);
    }

    // A pipe that is writable takes this much without making us wait; the descriptor may be shared with
    // others, and so stays as it is.
    void write_some() {
        const std::size_t size = std::min<std::size_t>(pending_.size() - written_, PIPE_BUF);
        const ssize_t n = ::write(STDOUT_FILENO, pending_.data() + written_, size);
        if (n >= 0) {
            written_ += static_cast<std::size_t>(n);
        } else if (errno == EPIPE) {
            throw reader_gone();
        } else if (errno != EINTR && errno != EAGAIN) {
            throw denied("write", "standard output", errno);
        }
    }

    void send_input() {
        const auto bytes = read_input_piece();
        if (!bytes) return;
        input_ended_ = bytes->empty();
        input_pending_ = true;
        try {
            daemon_.send(ipc::request_line(input_id, "worker.input",
                                           fmt::format(R"({{"attachment":{},{},"end":{}}})", attachment_,
                                                       text_member("data", *bytes), input_ended_)));
        } catch (const ipc::not_executed&) {
            // What it said last is still to be read.
            input_ended_ = true;
        }
    }

public:
    struct reader_gone {};

private:
    ipc::client& daemon_;
    const std::string& unit_;
    util::deadline limit_;
    std::int64_t attachment_ = 0;  // 0: it has not begun
    std::string pending_;          // for standard output, of which
    std::size_t written_ = 0;      // is done
    bool input_ended_ = false;
    bool input_pending_ = false;  // a piece was sent and is not taken yet
    std::optional<int> status_;
    std::optional<failure> failed_;
};

}  // namespace

int follow_attachment(ipc::client& daemon, const std::string& unit, util::deadline limit) {
    try {
        return bridge(daemon, unit, limit).follow();
    } catch (const bridge::reader_gone&) {
        return 128 + SIGPIPE;
    }
}

}  // namespace hob::cmd
