#include "lifecycle/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/start_failure.hpp"
#include "limits.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "util/json/json_writer.hpp"

namespace hob::lifecycle {
namespace {

namespace json = boost::json;

constexpr const char* own_program = "/proc/self/exe";
constexpr std::string_view ready_word = "ready\n";
constexpr std::string_view pid_file_lost_word = "taken away\n";

failure not_executed(const instance& where, int error) {
    const cannot tried("start the daemon of", where.root);
    if (error != ENOENT) return failure(error_kind::start_failed, tried, errno_text(error));
    return without_proc(tried);
}

// Executes this binary with a copy of `lock` and `outcome`, and unless it is nullptr with this limit of
// descriptors. -1 and errno on failure.
pid_t start_daemon(const instance& where, int lock, int outcome, const rlimit* nofile = nullptr) {
    std::vector<std::string> words{this_program.name, "daemon",
                                   fmt::format("{}{},{}", handover_option, lock, outcome),
                                   key_option + where.key, root_option + where.root};
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    return util::start_program(own_program, argv.data(), [lock, outcome, nofile] {
        // A session of its own from the start: a Ctrl-C for the client does not reach it.
        return ::setsid() > 0 && (!nofile || ::setrlimit(RLIMIT_NOFILE, nofile) == 0) && ::fcntl(lock, F_SETFD, 0) == 0 && ::fcntl(outcome, F_SETFD, 0) == 0;
    });
}

// Reads what the daemon reports, until end-of-file or `ready`. False: the limit is over.
bool read_outcome(int fd, std::string& outcome, util::deadline limit) {
    for (;;) {
        pollfd waiting{fd, POLLIN, 0};
        const int n = ::poll(&waiting, 1, limit.poll_timeout());
        if (n == 0 && limit.expired()) return false;
        if (n <= 0) continue;
        char chunk[1024];
        const ssize_t got = ::read(fd, chunk, sizeof chunk);
        if (got > 0) outcome.append(chunk, static_cast<std::size_t>(got));
        if (got == 0 || outcome == ready_word) return true;
        if (got < 0 && errno != EINTR) return true;
    }
}

failure death_of(const instance& where, pid_t pid) {
    int status = 0;
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    std::string how =
        "it ended without a word";  // the caller may ignore SIGCHLD, and then there is no status
    if (reaped == pid && WIFSIGNALED(status)) {
        how = fmt::format("it was killed by signal {} ({})", WTERMSIG(status),
                          ::sigabbrev_np(WTERMSIG(status)));
    } else if (reaped == pid && WIFEXITED(status)) {
        how = fmt::format("it exited with status {}", WEXITSTATUS(status));
    }
    return failure(error_kind::start_failed, cannot("start the daemon of", where.root), how,
                   "its log is " + where.daemon_log_path());
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value ? value->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

// nullopt: the report is not complete.
std::optional<failure> parse_failure(const std::string& report) {
    json::error_code error;
    const json::value parsed = json::parse(report, error);
    const json::object* object = error ? nullptr : parsed.if_object();
    if (!object) return std::nullopt;
    return failure(error_kind_named(text_of(*object, "code")).value_or(error_kind::start_failed),
                   text_of(*object, "message"), text_of(*object, "hint"));
}

}  // namespace

failure without_proc(cannot tried) {
    return failure(error_kind::start_failed, std::move(tried), "'/proc' is not mounted",
                   "mount -t proc proc /proc, or let the container have it");
}

void report_ready(int outcome_fd) { util::write_all(outcome_fd, ready_word); }

void report_pid_file_lost(int outcome_fd) { util::write_all(outcome_fd, pid_file_lost_word); }

void report_failure(int outcome_fd, const failure& why) {
    util::json_object report;
    report.add("code", name_of(why.kind())).add("message", why.what()).add("hint", why.hint());
    util::write_all(outcome_fd, std::move(report).text() + "\n");
}

bool start_next_daemon(const instance& where, const instance_lock& lock, const rlimit& nofile) {
    const util::unique_fd nobody = util::open_file("/dev/null", O_WRONLY);
    return nobody && start_daemon(where, lock.fd(), nobody.get(), &nofile) > 0;
}

bool spawn_daemon(const instance& where, instance_lock lock, util::deadline limit,
                  const std::function<void(std::string_view)>& on_wait) {
    util::pipe_ends outcome = util::make_pipe();
    const pid_t pid = start_daemon(where, lock.fd(), outcome.write.get());
    if (pid < 0) {
        const int error = errno;
        lock.unlink_guarded(where.pid_path(), where.pid_path());
        throw not_executed(where, error);
    }
    outcome.write.reset();

    std::string report;
    const auto patience = util::deadline::in(limits::start_patience);
    // The daemon, which writes it, is a child of the process that was started.
    const auto daemon_pid = [&] {
        const pid_t written = query_lock(where.pid_path()).pid;
        return written ? written : pid;
    };
    bool over = read_outcome(outcome.read.get(), report, limit.earlier(patience));
    if (!over && !limit.expired()) {
        if (on_wait)
            on_wait(fmt::format("waiting for the daemon of '{}' to start (pid {})", where.root, daemon_pid()));
        over = read_outcome(outcome.read.get(), report, limit);
    }
    if (report == ready_word) return true;
    if (!over) {
        throw failure(error_kind::timeout, cannot("wait any longer for the daemon of", where.root),
                      fmt::format("pid {} is still starting", daemon_pid()), "its log is " + where.daemon_log_path());
    }
    if (report == pid_file_lost_word) return false;
    if (auto why = parse_failure(report)) throw *why;
    // Dead without a report. The lock is still held here, so nobody starts another before the reason is
    // written.
    const failure why = death_of(where, pid);
    write_start_failure(where, why);
    lock.unlink_guarded(where.pid_path(), where.pid_path());
    throw why;
}

}  // namespace hob::lifecycle
