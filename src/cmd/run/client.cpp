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
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "ipc/run_state.hpp"
#include "lifecycle/request.hpp"
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
          daemon_(std::move(session.daemon)),
          lost_(session.where),
          signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH},
          mode_(session.terminal ? input_mode::kind::keys : input_mode::kind::unchanged) {}

    run_result follow() {
        ask();
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
    void ask() {
        const std::string line = ipc::request_line(run_id, "task.run", session_.params);
        if (session_.hand_over_input) {
            daemon_.send_with_descriptor(line, STDIN_FILENO);
        } else {
            daemon_.send(line);
        }
    }

    std::optional<ipc::incoming> next_message() {
        auto next = take_arrived(daemon_);
        if (next.closed) go_on();
        return std::move(next.message);
    }

    failure lost() const {
        return failure(daemon_.kind_of_loss(), cannot("follow", session_.what),
                       "the daemon ended before the run did", "hob runs shows how the run ended");
    }

    // With the next daemon, which has the run.
    void go_on() {
        if (daemon_.told_of_end()) throw lost();
        is_connected_ = false;
        for (;;) {
            lost_.add();
            lifecycle::next_options options;
            options.limit = session_.limit;
            options.interrupted = [this] {
                while (const int number = signals_.next())
                    handle_signal(number);
                return false;
            };
            auto next = lifecycle::connect_next(session_.where, options);
            if (!next) throw lost();
            daemon_ = std::move(*next);
            try {
                return ask_again();
            } catch (const ipc::not_executed&) {
            }
        }
    }

    void ask_again() {
        input_pending_ = false;
        is_connected_ = true;
        if (run_ == 0) return ask();
        daemon_.send(ipc::request_line(run_id, "run.follow", follow_params({run_, written_})));
        if (cancels_ > 0) cancel();
        if (hung_up_) detach();
        if (session_.terminal) resize();
    }

    void wait() {
        if (session_.limit.expired()) {
            throw failure(error_kind::timeout, cannot("wait for", session_.what, "any longer"),
                          "the deadline is over");
        }
        const bool reads_input = session_.input && run_ != 0 && !input_ended_ && !input_pending_;
        std::array<pollfd, 4> watched{{{daemon_.socket(), POLLIN, 0},
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
            handle_notification(message);
        } else if (message.id == run_id) {
            if (message.what == kind::error) {
                failure why = ipc::failure_from_error(message.payload);
                if (ipc::is_draining_refusal(why) && run_ == 0) throw ipc::not_executed();
                throw why;
            }
            take_result(message.payload);
        } else if (message.id == input_id) {
            input_pending_ = false;
            if (message.what == kind::error || !util::json_find_true(message.payload, {"open"}))
                input_ended_ = true;
        }
    }

    void handle_notification(const ipc::incoming& message) {
        if (message.method == "run.started") {
            run_ = util::json_find_integer(message.payload, {"run"}).value_or(0);
            if (session_.terminal) resize();
        } else if (message.method == "run.output") {
            write_output(message.payload);
        } else if (message.method == "run.skipped") {
            print_error(fmt::format("{}: {} bytes of the output of run {} are missing: the log does not have them\n",
                                    this_program.name,
                                    util::json_find_integer(message.payload, {"bytes"}).value_or(0), run_));
        }
    }

    void take_result(const std::string& record) {
        if (util::json_find_string(record, {"state"}) == name_of(ipc::run_state::lost))
            throw failure(error_kind::daemon_lost, cannot("follow", session_.what),
                          "the run was lost with the daemon", "run it again");
        result_ = run_result{record, exit_status_of_run(record)};
    }

    void write_output(const std::string& params) {
        const bool errors = util::json_find(params, {"stream"}) == "\"stderr\"";
        const std::string bytes = output_bytes(params);
        written_[errors ? 1 : 0] += bytes.size();
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
                // Closing the connection withdraws a run that has not begun, and the next daemon cancels one
                // whose client does not come back.
                if (run_ == 0 || (!is_connected_ && cancels_ > 0)) throw interrupted{number};
                ++cancels_;
                cancel();
                break;
            case SIGHUP:
                // The terminal is gone; the run goes on without a client.
                hung_up_ = true;
                if (run_ == 0) throw terminal_gone();
                if (is_connected_) detach();
                break;
            case SIGWINCH:
                if (session_.terminal && run_ != 0) resize();
                break;
            default:
                break;
        }
    }

    void cancel() { request("run.cancel", util::json_object().add("run", run_).add("kill", cancels_ > 1)); }

    void detach() {
        if (request("run.detach", util::json_object().add("run", run_))) throw terminal_gone();
    }

    void resize() {
        winsize window{};
        if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0) return;
        util::json_object params;
        params.add("run", run_).add("rows", window.ws_row).add("columns", window.ws_col);
        request("run.resize", params);
    }

    // False: the daemon has ended. The next one is asked.
    bool request(std::string_view method, const util::json_object& params) {
        return is_connected_ && send(ipc::request_line(other_id, method, params.text()));
    }

    // The end of the daemon is noticed where its messages are read.
    bool send(const std::string& line) {
        try {
            daemon_.send(line);
            return true;
        } catch (const ipc::not_executed&) {
            return false;
        }
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
        send(ipc::request_line(input_id, "run.input", params.text()));
    }

public:
    struct reader_gone {};
    struct terminal_gone {};
    struct interrupted {
        int signal;
    };

private:
    const run_session& session_;
    ipc::client daemon_;
    lifecycle::lost_daemons lost_;
    signal_reader signals_;
    input_mode mode_;
    std::int64_t run_ = 0;  // 0: not begun
    unit::run_offsets written_{};  // of its output
    bool is_connected_ = true;
    bool hung_up_ = false;
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
