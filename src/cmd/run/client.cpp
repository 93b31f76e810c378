#include "cmd/run/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cmd/core/output.hpp"
#include "cmd/core/signal_reader.hpp"
#include "cmd/history/run_end.hpp"
#include "cmd/streams/input_mode.hpp"
#include "cmd/streams/stream_client.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/draining.hpp"
#include "util/fd.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view run_id = "1", input_id = "2", other_id = "3";

class follower {
public:
    explicit follower(const run_session& session)
        : session_(session),
          signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH},
          mode_(session.terminal ? input_mode::kind::keys : input_mode::kind::unchanged) {}

    run_result follow() {
        const std::string line = ipc::request_line(run_id, "task.run", session_.params);
        if (session_.hand_over_input) {
            session_.daemon.send_with_descriptor(line, STDIN_FILENO);
        } else {
            session_.daemon.send(line);
        }
        while (!result_) {
            if (const auto message = next_message()) {
                handle(*message);
            } else if (!result_) {
                wait();
            }
        }
        return std::move(*result_);
    }

private:
    std::optional<ipc::incoming> next_message() {
        auto next = take_arrived(session_.daemon);
        if (!next.closed) return std::move(next.message);
        throw failure(error_kind::no_daemon, cannot("follow", session_.what),
                      "the daemon ended before the run did", "hob runs shows how the run ended");
    }

    void wait() {
        if (session_.limit.expired()) {
            throw failure(error_kind::timeout, cannot("wait for", session_.what, "any longer"),
                          "the deadline is over");
        }
        const bool reads_input = session_.input && run_ != 0 && !input_ended_ && !input_pending_;
        std::array<pollfd, 4> watched{{{session_.daemon.socket(), POLLIN, 0},
                                       {signals_.fd(), POLLIN, 0},
                                       {STDOUT_FILENO, 0, 0},
                                       {reads_input ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), session_.limit.poll_timeout()) <= 0) return;
        if (watched[1].revents != 0) handle_signal(signals_.next());
        if ((watched[2].revents & POLLERR) != 0) end_by_sigpipe();
        if (watched[3].revents != 0) send_input();
    }

    void handle(const ipc::incoming& message) {
        using kind = ipc::incoming::kind;
        if (message.what == kind::notification) {
            if (message.method == "run.started") {
                run_ = util::json_find_integer(message.payload, {"run"}).value_or(0);
                if (session_.terminal) resize();
            } else if (message.method == "run.output") {
                write_output(message.payload);
            }
        } else if (message.id == run_id) {
            if (message.what == kind::error) {
                failure why = ipc::failure_from_error(message.payload);
                if (ipc::is_draining_refusal(why)) throw ipc::not_executed();
                throw why;
            }
            result_ = run_result{message.payload, exit_status_of_run(message.payload)};
        } else if (message.id == input_id) {
            input_pending_ = false;
            if (message.what == kind::error || !util::json_find_true(message.payload, {"open"}))
                input_ended_ = true;
        }
    }

    void write_output(const std::string& params) {
        const bool errors = util::json_find(params, {"stream"}) == "\"stderr\"";
        const std::string bytes = output_bytes(params);
        if (util::write_all(errors ? STDERR_FILENO : STDOUT_FILENO, bytes) || errors) return;
        if (errno == EPIPE) end_by_sigpipe();
        throw denied("write", "standard output", errno);
    }

    // Ends hob as SIGPIPE ends a program. Closing the connection cancels the run.
    [[noreturn]] void end_by_sigpipe() { throw reader_gone(); }

    void handle_signal(int number) {
        switch (number) {
            case SIGINT:
            case SIGTERM:
            case SIGQUIT:
                // Closing the connection withdraws a run that has not begun.
                if (run_ == 0) throw interrupted{number};
                ++cancels_;
                cancel();
                break;
            case SIGHUP:
                // The terminal is gone; the run goes on without a client.
                if (run_ != 0) request("run.detach", util::json_object().add("run", run_));
                throw terminal_gone();
            case SIGWINCH:
                if (session_.terminal && run_ != 0) resize();
                break;
            default:
                break;
        }
    }

    void cancel() { request("run.cancel", util::json_object().add("run", run_).add("kill", cancels_ > 1)); }

    void resize() {
        winsize window{};
        if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0) return;
        util::json_object params;
        params.add("run", run_).add("rows", window.ws_row).add("columns", window.ws_col);
        request("run.resize", params);
    }

    void request(std::string_view method, const util::json_object& params) {
        session_.daemon.send(ipc::request_line(other_id, method, params.text()));
    }

    void send_input() {
        const auto bytes = read_input_piece();
        if (!bytes) return;
        input_ended_ = bytes->empty();
        input_pending_ = true;
        util::json_object params;
        params.add("run", run_);
        add_bytes(params, "data", *bytes);
        params.add("end", input_ended_);
        session_.daemon.send(ipc::request_line(input_id, "run.input", params.text()));
    }

public:
    struct reader_gone {};
    struct terminal_gone {};
    struct interrupted {
        int signal;
    };

private:
    const run_session& session_;
    signal_reader signals_;
    input_mode mode_;
    std::int64_t run_ = 0;  // 0: not begun
    int cancels_ = 0;
    bool input_ended_ = false;
    bool input_pending_ = false;  // bytes were sent and not acknowledged yet
    std::optional<run_result> result_;
};

}  // namespace

run_result follow_run(const run_session& session) {
    try {
        return follower(session).follow();
    } catch (const follower::reader_gone&) {
        return {{}, 128 + SIGPIPE};
    } catch (const follower::terminal_gone&) {
        return {{}, 128 + SIGHUP};
    } catch (const follower::interrupted& by) {
        return {{}, 128 + by.signal};
    }
}

}  // namespace hob::cmd
