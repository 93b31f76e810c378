#include "keeper/keeper.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "keeper/ending_signals.hpp"
#include "keeper/holdings.hpp"
#include "keeper/message.hpp"
#include "util/deadline.hpp"
#include "util/memory.hpp"

namespace hob::keeper {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds trim_after{500};  // without a message

// What epoll reports for: a pid, or one of these.
constexpr std::int64_t on_signal = -1;
constexpr std::int64_t on_message = -2;

class keeper_loop {
public:
    explicit keeper_loop(keeper_options options)
        : options_(std::move(options)), events_(::epoll_create1(EPOLL_CLOEXEC)) {
        const sigset_t set = handled_signals();
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        ::signal(SIGPIPE, SIG_IGN);
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
        watch(signals_.get(), EPOLLIN, on_signal);
        watch(options_.socket.get(), EPOLLIN, on_message);
        began_ = std::chrono::steady_clock::now();
    }

    int run() {
        look_at_children();  // signals before these handlers were set up are lost
        while (!result_)
            step();
        return *result_;
    }

private:
    void watch(int fd, std::uint32_t events, std::int64_t what) const {
        epoll_event event{};
        event.events = events;
        event.data.u64 = static_cast<std::uint64_t>(what);
        if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
            ::epoll_ctl(events_.get(), EPOLL_CTL_MOD, fd, &event);
    }

    void unwatch(int fd) const { ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, fd, nullptr); }

    void step() {
        epoll_event events[32];
        const int timeout = next_.earlier(trim_).poll_timeout();
        const int count = ::epoll_wait(events_.get(), events, std::size(events), timeout);
        for (int i = 0; i < count && !result_; ++i)
            handle(static_cast<std::int64_t>(events[i].data.u64), events[i].events);
        if (count > 0) trim_ = util::deadline::in(trim_after);
        if (trim_.expired()) trim();
        if (!result_ && next_.expired()) on_time();
        if (end_by_kill_ && !result_ && !anything_lives()) result_ = 0;
        if (!result_) tell();
    }

    // What many services needed only while they started or stopped.
    void trim() {
        trim_ = util::deadline::never();
        util::release_free_memory();
    }

    void handle(std::int64_t what, std::uint32_t how) {
        if (what == on_signal) return read_signals();
        if (what == on_message) {
            if ((how & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_messages();
            return;
        }
        const auto pid = static_cast<pid_t>(what);
        holding* held = holdings_.of_process(pid);
        if (!held) return;
        if (held->process) unwatch(held->process.get());
        holdings_.note_end(*held);
    }

    // ---- the daemon ----

    void read_messages() {
        received got;
        while (options_.socket) {
            switch (receive(options_.socket.get(), got)) {
                case receive_result::message:
                    take(std::move(got));
                    break;
                case receive_result::nothing:
                    return;
                case receive_result::other_version: {
                    message refusal;
                    refusal.kind = message_kind::refused;
                    send(options_.socket.get(), refusal);
                    refused_ = attempts_ == 1;
                    return close_socket();
                }
                case receive_result::closed:
                    return close_socket();
            }
        }
    }

    // The end of the process follows, and is what counts.
    void close_socket() {
        unwatch(options_.socket.get());
        options_.socket.reset();
    }

    void take(received got) {
        const message& what = got.what;
        switch (what.kind) {
            case message_kind::hold: {
                const holding& held = holdings_.hold(std::move(got));
                if (held.process && !held.ended) watch(held.process.get(), EPOLLIN, held.pid);
                break;
            }
            case message_kind::note:
                holdings_.note(what.key, what.text);
                break;
            case message_kind::close:
                holdings_.close(what.key, what.roles);
                break;
            case message_kind::drop:
                holdings_.drop(what.key);
                break;
            case message_kind::reap:
                holdings_.allow_reaping(what.pid);
                break;
            case message_kind::list:
                holdings_.ended().clear();
                listing_ = std::string();
                break;
            case message_kind::ready:
                served_ = serves_ = true;
                attempts_ = 0;
                began_ = std::chrono::steady_clock::now();
                hands_over_ = false;
                next_ = util::deadline::never();
                break;
            case message_kind::handover:
                hands_over_ = true;
                serves_ = false;
                attempts_ = 1;  // should it fail: the program that serves now, whatever its path leads to
                next_ = util::deadline::in(milliseconds(what.number));
                break;
            case message_kind::ending:
                ending_ = true;
                break;
            case message_kind::release:
                ending_ = true;
                holdings_.clear();
                options_.start_daemon = {};  // it holds the lock
                break;
            default:
                break;
        }
    }

    // Sends what is to be told, as far as the socket has room.
    void tell() {
        if (!options_.socket) return;
        const bool all = tell_list() && tell_ends() && tell_signals();
        const std::uint32_t wanted = EPOLLIN | (all ? 0u : static_cast<std::uint32_t>(EPOLLOUT));
        if (wanted != watched_) watch(options_.socket.get(), watched_ = wanted, on_message);
    }

    bool tell_list() {
        while (listing_) {
            const holding* const held = holdings_.after(*listing_);
            message entry;
            entry.kind = held ? message_kind::held : message_kind::listed;
            if (held) {
                entry.key = held->key();
                entry.pid = held->pid;
                entry.exit = holdings_.exit_of(*held);
                entry.roles = held->roles();
                entry.text = held->note();
            }
            if (!send(options_.socket.get(), entry, held ? held->descriptors() : std::span<const int>()))
                return errno != EAGAIN && errno != ETOOMANYREFS;
            listing_ = held ? std::optional(std::string(held->key())) : std::nullopt;
        }
        return true;
    }

    bool tell_ends() {
        auto& ended = holdings_.ended();
        std::size_t told = 0;
        for (; told < ended.size(); ++told) {
            const holding* held = holdings_.of_process(ended[told]);
            if (!held) continue;
            message what;
            what.kind = message_kind::exited;
            what.pid = held->pid;
            what.exit = holdings_.exit_of(*held);
            if (!send(options_.socket.get(), what) && errno == EAGAIN) break;
        }
        ended.erase(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(told));
        return ended.empty();
    }

    bool tell_signals() {
        while (!signals_to_tell_.empty()) {
            message what;
            what.kind = message_kind::asked;
            what.number = signals_to_tell_.front();
            if (!send(options_.socket.get(), what) && errno == EAGAIN) return false;
            signals_to_tell_.erase(signals_to_tell_.begin());
        }
        return true;
    }

    // ---- signals, ends and the next daemon ----

    void read_signals() {
        signalfd_siginfo info{};
        bool child = false;
        while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            const auto number = static_cast<int>(info.ssi_signo);
            if (number == SIGCHLD) {
                child = true;
            } else if (options_.daemon > 0) {
                signals_to_tell_.push_back(number);
            } else if (number == try_again_signal) {
                deaths_ = 0;
                try_again();
            } else if (number != SIGHUP) {
                return end_all();
            }
        }
        if (child) look_at_children();
    }

    void look_at_children() {
        holdings_.look_at_processes();
        int status = 0;
        pid_t ended = 0;
        if (options_.daemon > 0) {
            do {
                ended = ::waitpid(options_.daemon, &status, WNOHANG);
            } while (ended < 0 && errno == EINTR);
        }
        if (ended > 0) return daemon_ended(status);
        holdings_.reap_others(options_.daemon);
    }

    void daemon_ended(int status) {
        if (options_.socket) read_messages();  // what it sent last
        options_.daemon = 0;
        const bool was_handover = std::exchange(hands_over_, false);
        next_ = util::deadline::never();
        if (options_.socket) unwatch(options_.socket.get());
        options_.socket.reset();
        // A daemon that has not served yet ends by such a signal at once: the next one ends in order.
        if (!serves_ && WIFSIGNALED(status) && is_ending_signal(WTERMSIG(status)))
            signals_to_tell_.push_back(WTERMSIG(status));
        // Those that are this process's children only since that death as well.
        holdings_.look_at_all();
        holdings_.reap_others(0);
        if (ending_ || !served_) {
            kill_all(SIGKILL);
            result_ = status;
            return;
        }
        if (was_handover) return try_again();
        // The next one is this program itself.
        if (std::exchange(refused_, false)) return try_again();
        count_death(status);
        if (deaths_ < options_.crash_count) return try_again();
        options_.on_crash_loop(status);
        // Clients are refused meanwhile instead of waiting.
        holdings_.drop(options_.listening_key);
        next_ = util::deadline::in(options_.pause);
    }

    // SIGKILL after it has served is somebody's decision, and no fault of the daemon.
    void count_death(int status) {
        const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        const bool short_lived = std::chrono::steady_clock::now() - began_ < options_.short_life;
        if (!short_lived) deaths_ = 0;
        if (!serves_ || (short_lived && !killed)) ++deaths_;
        serves_ = false;
    }

    void on_time() {
        next_ = util::deadline::never();
        if (end_by_kill_) return finish_end();
        if (!hands_over_) return try_again();
        if (options_.daemon > 0) ::kill(options_.daemon, SIGKILL);
    }

    void try_again() {
        next_ = util::deadline::never();
        socket_pair pair;
        try {
            pair = make_socket_pair();
        } catch (const std::exception&) {
            next_ = util::deadline::in(options_.pause);
            return;
        }
        const pid_t pid = options_.start_daemon(pair.daemon.get(), holdings_.program(options_.program_key), attempts_++);
        if (pid < 0) {
            next_ = util::deadline::in(options_.pause);
            return;
        }
        options_.daemon = pid;
        options_.socket = std::move(pair.keeper);
        listing_.reset();
        watched_ = 0;
        began_ = std::chrono::steady_clock::now();
        watch(options_.socket.get(), watched_ = EPOLLIN, on_message);
    }

    void kill_all(int number) {
        holdings_.for_each_living([number](holding& held) {
            ::kill(-held.pid, number);
            ::kill(held.pid, number);
        });
    }

    // Asked to end while there is no daemon.
    void end_all() {
        if (end_by_kill_) return finish_end();
        end_by_kill_ = true;
        kill_all(SIGTERM);
        kill_all(SIGCONT);
        next_ = util::deadline::in(options_.kill_after);
    }

    bool anything_lives() {
        bool living = false;
        holdings_.for_each_living([&living](holding&) { living = true; });
        return living;
    }

    void finish_end() {
        kill_all(SIGKILL);
        result_ = 0;
    }

    keeper_options options_;
    util::unique_fd events_;
    util::unique_fd signals_;
    holdings holdings_;
    std::optional<std::string> listing_;  // the key that was told last
    std::vector<int> signals_to_tell_;
    std::uint32_t watched_ = EPOLLIN;
    std::chrono::steady_clock::time_point began_;  // the life of the daemon, or its service
    util::deadline next_ = util::deadline::never();
    util::deadline trim_ = util::deadline::never();
    std::optional<int> result_;
    int deaths_ = 0;           // in a row, each soon after its start
    int attempts_ = 0;         // daemons started since one served
    bool served_ = false;      // some daemon has
    bool serves_ = false;      // this one has
    bool refused_ = false;     // this one is of another version
    bool hands_over_ = false;  // to a program that is not ready yet
    bool ending_ = false;
    bool end_by_kill_ = false;
};

}  // namespace

int run(keeper_options options) { return keeper_loop(std::move(options)).run(); }

void end_like(int status) {
    if (WIFSIGNALED(status)) {
        const rlimit no_core{};
        ::setrlimit(RLIMIT_CORE, &no_core);
        sigset_t own;
        ::sigemptyset(&own);
        ::sigaddset(&own, WTERMSIG(status));
        ::signal(WTERMSIG(status), SIG_DFL);
        ::sigprocmask(SIG_UNBLOCK, &own, nullptr);
        ::raise(WTERMSIG(status));
    }
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace hob::keeper
