#include "cmd/run/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cmd/core/output.hpp"
#include "cmd/streams/stream_client.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/draining.hpp"
#include "util/fd.hpp"
#include "util/json_edit.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view run_id = "1", input_id = "2", other_id = "3";

// The signals that are answered here, blocked and read from a descriptor, for a lifetime.
class signals {
public:
    signals() {
        sigset_t wanted;
        ::sigemptyset(&wanted);
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH})
            ::sigaddset(&wanted, number);
        ::sigprocmask(SIG_BLOCK, &wanted, &before_);
        fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!fd_) throw denied("make", "a descriptor for signals", errno);
    }
    ~signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    int fd() const { return fd_.get(); }
    int next() {  // 0: none
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

private:
    sigset_t before_;
    util::unique_fd fd_;
};

// Standard input as the run's terminal wants it: every key as it comes.
class raw_terminal {
public:
    explicit raw_terminal(bool on) {
        if (!on || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        set_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    }
    ~raw_terminal() {
        if (set_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
    raw_terminal(const raw_terminal&) = delete;
    raw_terminal& operator=(const raw_terminal&) = delete;

private:
    termios before_{};
    bool set_ = false;
};

class follower {
public:
    explicit follower(const run_session& session) : session_(session), raw_(session.terminal) {}

    run_end follow() {
        session_.daemon.send(ipc::request_line(run_id, "task.run", session_.params));
        while (!end_) {
            if (const auto message = buffered()) {
                take(*message);
            } else if (!end_) {
                wait();
            }
        }
        return std::move(*end_);
    }

private:
    std::optional<ipc::incoming> buffered() {
        auto next = take_arrived(session_.daemon);
        if (!next.closed) return std::move(next.message);
        throw failure(error_kind::no_daemon,
                      fmt::format("cannot follow '{}': the daemon ended before the run did", session_.what),
                      "hob runs says what became of it");
    }

    void wait() {
        if (session_.limit.expired()) {
            throw failure(error_kind::timeout,
                          fmt::format("cannot finish '{}': the time is over", session_.what));
        }
        const bool reads = session_.input && run_ != 0 && !input_ended_ && !input_pending_;
        std::array<pollfd, 4> watched{{{session_.daemon.socket(), POLLIN, 0},
                                       {signals_.fd(), POLLIN, 0},
                                       {STDOUT_FILENO, 0, 0},
                                       {reads ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), session_.limit.poll_timeout()) <= 0) return;
        if (watched[1].revents != 0) answer_signal(signals_.next());
        if ((watched[2].revents & POLLERR) != 0) lose_reader();
        if (watched[3].revents != 0) send_input();
    }

    void take(const ipc::incoming& message) {
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
            end_ = run_end{message.payload, status_of(message.payload)};
        } else if (message.id == input_id) {
            input_pending_ = false;
            if (message.what == kind::error || !util::json_find_true(message.payload, {"open"}))
                input_ended_ = true;
        }
    }

    static int status_of(const std::string& record) {
        if (const auto signal = util::json_find_integer(record, {"signal"}))
            return 128 + static_cast<int>(*signal);
        return static_cast<int>(
            util::json_find_integer(record, {"exit"}).value_or(static_cast<int>(exit_code::run_failed)));
    }

    void write_output(const std::string& params) {
        const bool errors = util::json_find(params, {"stream"}) == "\"stderr\"";
        const std::string bytes = output_bytes(params);
        if (util::write_all(errors ? STDERR_FILENO : STDOUT_FILENO, bytes) || errors) return;
        if (errno == EPIPE) lose_reader();
        throw denied("write", "standard output", errno);
    }

    // As a program that writes into a closed pipe: ended by SIGPIPE. The end of our connection cancels the
    // run.
    [[noreturn]] void lose_reader() { throw reader_gone(); }

    void answer_signal(int number) {
        switch (number) {
            case SIGINT:
            case SIGTERM:
            case SIGQUIT:
                // Not begun yet: the end of our connection takes the order back.
                if (run_ == 0) throw interrupted{number};
                ++cancels_;
                cancel();
                break;
            case SIGHUP:
                // The terminal is gone, and the run goes on without it.
                if (run_ != 0) ask("run.detach", fmt::format(R"({{"run":{}}})", run_));
                throw terminal_gone();
            case SIGWINCH:
                if (session_.terminal && run_ != 0) resize();
                break;
            default:
                break;
        }
    }

    void cancel() { ask("run.cancel", fmt::format(R"({{"run":{},"kill":{}}})", run_, cancels_ > 1)); }

    void resize() {
        winsize window{};
        if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0) return;
        ask("run.resize",
            fmt::format(R"({{"run":{},"rows":{},"columns":{}}})", run_, window.ws_row, window.ws_col));
    }

    void ask(std::string_view method, const std::string& params) {
        session_.daemon.send(ipc::request_line(other_id, method, params));
    }

    void send_input() {
        const auto bytes = read_input_piece();
        if (!bytes) return;
        input_ended_ = bytes->empty();
        input_pending_ = true;
        session_.daemon.send(ipc::request_line(
            input_id, "run.input",
            fmt::format(R"({{"run":{},{},"end":{}}})", run_, text_member("data", *bytes), input_ended_)));
    }

public:
    struct reader_gone {};
    struct terminal_gone {};
    struct interrupted {
        int signal;
    };

private:
    const run_session& session_;
    signals signals_;
    raw_terminal raw_;
    std::int64_t run_ = 0;  // 0: it has not begun
    int cancels_ = 0;
    bool input_ended_ = false;
    bool input_pending_ = false;  // a piece was sent and is not taken yet
    std::optional<run_end> end_;
};

}  // namespace

run_end follow_run(const run_session& session) {
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
