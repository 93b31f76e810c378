#pragma once
// A process that hob starts (unit/process/launch.hpp does it), and its end.
//
// A child starts in a session of its own, with default signal dispositions, an empty mask, umask 022, nice 0
// (as far as the kernel permits), the given RLIMIT_NOFILE, no descriptors but the three standard ones, and
// SIGKILL as its parent-death signal. Its exit is reported by unit/process/exit_watch.hpp, and it is reaped
// by pid, so that no other wait takes its status.

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

#include "lifecycle/keeper_link.hpp"
#include "limits.hpp"
#include "util/fd.hpp"
#include "util/resource_limits.hpp"

namespace hob::unit {

struct exit_state {
    bool signalled = false;
    int number = 0;  // exit status, or signal
    bool core = false;
    std::string killed_for{};  // "memory limit 512MiB"; empty: nothing is known
};

// "0", "3", "signal 9": unit_status::exit.
std::string exit_brief(const exit_state& exit);
// "exited with status 3", "was killed by signal 9 (KILL)", and with ", core dumped" if it was; "was killed:
// memory limit 512MiB".
std::string exit_text(const exit_state& exit);
// As exit_text(); nullopt: "could not be ended".
std::string end_text(const std::optional<exit_state>& exit);

// The status with which a shell exits when it cannot execute a program. The failure of such a start has it as
// its detail:
// {"exit":N}.
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
    unsigned umask = hob::limits::unit_umask;
    // After `nofile`. A hard limit above this process's own counts as that one.
    std::vector<util::resource_limit> limits{};
    bool terminal = false;  // `output` is a terminal and becomes the controlling one of the session
    int cgroup = -1;        // an open directory of the cgroup to run in; -1: this process's own
    // The daemon's keeper, if the process is to outlive the daemon: it is the keeper's child then, and runs
    // no program before the keeper holds it. 0: it dies with the daemon.
    pid_t keeper = 0;
};

// What the keeper is to hold of a process; empty: it is not held.
struct held_process {
    lifecycle::keeper_link* keeper = nullptr;
    std::string key;
    std::vector<lifecycle::held_descriptor> descriptors;

    explicit operator bool() const { return keeper != nullptr; }
};

// Of the end through which a process is let run its program, and tells of the launch.
inline constexpr std::string_view gate_role = "gate";

class child {
public:
    // Makes the process, and does not wait until it executes the program: see launched(). Throws
    // failure(unit_failed) if there can be no process.
    child(const boost::asio::any_io_executor& executor, const child_options& options);
    // One that outlives the daemon, if `held` is not empty.
    child(const boost::asio::any_io_executor& executor, const child_options& options,
          const held_process& held);
    // Adopts a process that hob did not start: a descendant that becomes a child of this process when its
    // parents end. Throws failure(unit_failed) if it has ended.
    child(const boost::asio::any_io_executor& executor, pid_t pid);
    // A process that the keeper holds under the key, started by a daemon before this one. It may have ended.
    // `gate`: held as gate_role, if its program may not run yet; then `options` are those of its launch.
    child(const boost::asio::any_io_executor& executor, pid_t pid, std::uint64_t start_time,
          const held_process& held, util::unique_fd gate = {}, const child_options& options = {});
    ~child();  // a process still running is killed, unless the keeper goes on holding it
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    pid_t pid() const;       // also its process group and session
    bool in_cgroup() const;  // false also if the kernel refused: that is no failure of the start. Known then.
    std::uint64_t start_time() const;

    // Until the program runs, which takes as long as the file systems of its directory and its program do.
    // False: interrupt() was called. Throws failure(unit_failed, "cannot start '<unit>': …") that names the
    // program or the directory at fault; no process is left then.
    boost::asio::awaitable<bool> launched();
    bool launching();  // the program does not run yet
    // What the launch waits for: "its directory '/mnt/x' does not answer". Empty: for nothing.
    std::string blocked_by();

    // Returns when the process has ended; nullopt: interrupt() was called. The process stays a zombie until
    // reap(), so that no other process gets its pid or its group's number while the group is being ended.
    boost::asio::awaitable<std::optional<exit_state>> exited();
    void interrupt();  // makes a pending launched() or exited() return
    // nullopt: it still runs.
    std::optional<exit_state> poll() const;
    void reap();  // after exited(); idempotent
    // Resources used by it and by the descendants that it waited for; nullopt before reap().
    const std::optional<rusage>& used() const;

    // To the process alone; false when it has ended.
    bool signal(int number) const;
    // To its whole process group; only before reap(). False: the group is empty.
    bool signal_group(int number) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace hob::unit
