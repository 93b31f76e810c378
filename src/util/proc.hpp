#pragma once
// Facts about processes, from /proc. They may be stale as soon as they are read: act on a pid only through a
// pidfd, and only after comparing start_time.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hob::util {

struct proc_stat {
    pid_t pid = 0;
    std::string comm;  // at most 15 bytes
    char state = '?';  // R S D T t Z X I, see proc(5)
    pid_t ppid = 0;
    pid_t pgrp = 0;
    pid_t session = 0;
    int threads = 0;
    // Clock ticks since boot (field 22). Together with pid and boot id it identifies a process.
    std::uint64_t start_time = 0;
    std::uint64_t cpu_ticks = 0;  // user and system, including children that were waited for
    std::uint64_t rss_pages = 0;
    // Size of the initial environment; meaningless where we may not read the process's memory. nullopt: the
    // process is in the middle of execve(2), where its arguments and environment still read as empty.
    std::optional<std::uint64_t> environment_bytes;
};

// A zombie whose threads have all ended. A process whose main thread has ended while others run looks like a
// zombie as well, but still holds its descriptors and locks.
bool has_ended(const proc_stat& process);

std::optional<proc_stat> read_proc_stat(pid_t pid);
std::uint64_t own_start_time();
// /proc shows another PID namespace than that of this process: its numbers are not those that kill(2) takes.
bool proc_is_of_another_namespace();

// Every process of this pid namespace that could be read.
std::vector<proc_stat> all_processes();

// The pids among `all` whose ancestor (over ppid) is `root`; `root` itself is not included.
std::vector<pid_t> descendants_of(pid_t root, const std::vector<proc_stat>& all);

// The children of all threads of `pid`, as the kernel lists them. nullopt: the kernel has no such list
// (CONFIG_PROC_CHILDREN), or the process is gone.
std::optional<std::vector<pid_t>> children_of(pid_t pid);

// `root`, if it exists, and all its descendants. A process that `enter` refuses is left out with its
// descendants. An empty `enter` refuses none.
std::vector<proc_stat> process_tree(pid_t root, const std::function<bool(pid_t)>& enter = {});

// The value of `name` in the initial environment of the process. nullopt: not set, or not readable.
std::optional<std::string> proc_environment_value(pid_t pid, const std::string& name);

// /proc/sys/kernel/random/boot_id, 36 characters; empty when unreadable.
std::string boot_id();

// "sleeping", "stopped", … for a state letter.
const char* state_text(char state);

}  // namespace hob::util
