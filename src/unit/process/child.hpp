#pragma once
// A process of hob's own: how it begins (unit/process/launch.hpp) and how its end is seen.
//
// A child starts in a session of its own with default dispositions, an empty mask, umask 022, nice 0 (as far
// as the kernel lets that be undone), the given RLIMIT_NOFILE, nothing open but its three standard
// descriptors, and SIGKILL as its parent-death signal. Its exit is seen through a pidfd and it is reaped by
// pid, so that nobody else's wait can steal the status.

#include <sys/resource.h>
#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "limits.hpp"
#include "util/fd.hpp"

namespace hob::unit {

struct exit_state {
    bool signalled = false;
    int number = 0;  // exit status, or signal
    bool core = false;
};

// "0", "3", "signal 9": unit_status::exit.
std::string exit_brief(const exit_state& exit);
// "exited with status 3", "was killed by signal 9 (KILL)", the latter with ", core dumped" where it was.
std::string exit_text(const exit_state& exit);

// What a shell exits with when it cannot execute a program. The failure that says why it did not start has it
// as detail: {"exit":N}.
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_no_program = 127;

struct child_options {
    std::string unit;               // for messages
    std::vector<std::string> argv;  // argv[0] without a slash is looked up in the PATH of `environment`
    std::vector<std::string> environment;  // K=V
    std::string cwd;                       // absolute
    std::optional<rlimit> nofile;
    int input = -1;  // become 0, 1, 2 in the child; -1: /dev/null
    int output = -1;
    int error = -1;
    unsigned umask = limits::unit_umask;
    bool terminal = false;  // `input` is a terminal, and becomes the controlling one of the session
    int cgroup = -1;        // the directory of the cgroup to run in; -1: this process's own
};

class child {
public:
    // Returns once the program runs. Throws failure(unit_failed, "cannot start '<unit>': …") naming the
    // program or the directory that is at fault; no process is left then.
    child(const boost::asio::any_io_executor& executor, const child_options& options);
    ~child();  // a process still running is killed and reaped
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    pid_t pid() const;       // also its process group and session
    bool in_cgroup() const;  // of its options; not to be let in is no failure of the start
    std::uint64_t start_time() const;

    // Returns when the process has ended; nullopt: interrupt() was called. It stays a zombie until reap(), so
    // that its pid and its group's number cannot be given to others while the group is being ended.
    boost::asio::awaitable<std::optional<exit_state>> exited();
    void interrupt();  // ends the exited() that is being waited for
    // nullopt: it still runs.
    std::optional<exit_state> poll() const;
    void reap();  // after exited(); idempotent
    // What it and the descendants that it waited for have used; nullopt before reap().
    const std::optional<rusage>& used() const;

    // To the process alone, through its pidfd; false when it has ended.
    bool signal(int number) const;
    // To its whole process group; only before reap(). False: there is none any more.
    bool signal_group(int number) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Children that were not started here but given to us: the daemon is a subreaper, so what a unit leaves
// behind becomes its child. SIGCHLD wakes a scan that reaps those by pid; processes of `child` objects are
// left alone.
class subreaper {
public:
    explicit subreaper(
        const boost::asio::any_io_executor& executor);  // PR_SET_CHILD_SUBREAPER and the SIGCHLD handler
    ~subreaper();
    subreaper(const subreaper&) = delete;
    subreaper& operator=(const subreaper&) = delete;

    // Reaps the zombies among unknown children; returns how many. Called by the handler.
    static int reap_strangers();

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by the handler that waits for SIGCHLD
};

}  // namespace hob::unit
