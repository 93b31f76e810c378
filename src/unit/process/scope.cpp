#include "unit/process/scope.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include "limits.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/process/daemon_lock.hpp"
#include "unit/process/environment.hpp"
#include "unit/process/known_children.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t environ_max = 4u << 20;
constexpr std::size_t cmdline_max = 4u << 20;
constexpr std::size_t status_max = 64u << 10;

// hob's marks in the environment that a process was started with.
struct marks {
    std::optional<std::string> instance;
    std::optional<std::string> unit;
    std::optional<std::string> uid;  // of the daemon
};

std::string proc_file(pid_t pid, const char* leaf) { return "/proc/" + std::to_string(pid) + leaf; }

template <typename Each>
void for_each_string(std::string_view bytes, const Each& each) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\0');
        each(bytes.substr(0, end));
        if (end == std::string_view::npos) return;
        bytes.remove_prefix(end + 1);
    }
}

// In the middle of execve(2) a process's environment reads as empty for some microseconds, and no event
// reports the end of that. A process that executes a program just now must not be taken for one without
// marks: read again.
std::optional<std::string> read_environment(pid_t pid) {
    const auto limit = util::deadline::in(limits::exec_window);
    for (;;) {
        auto bytes = util::read_file(proc_file(pid, "/environ"), environ_max);
        if (!bytes || !bytes->empty()) return bytes;
        const auto stat = util::read_proc_stat(pid);
        if (!stat || stat->environment_bytes == 0 || limit.expired()) return bytes;
        constexpr timespec pause{0, 50'000};
        ::nanosleep(&pause, nullptr);
    }
}

marks read_marks(pid_t pid) {
    marks result;
    const auto bytes = read_environment(pid);
    if (!bytes) return result;
    const auto take = [](std::string_view entry, std::string_view key, std::optional<std::string>& value) {
        if (!value && entry.size() > key.size() && entry[key.size()] == '=' && entry.starts_with(key)) {
            value = entry.substr(key.size() + 1);
        }
    };
    for_each_string(*bytes, [&](std::string_view entry) {
        take(entry, mark_instance, result.instance);
        take(entry, mark_unit, result.unit);
        take(entry, mark_uid, result.uid);
    });
    return result;
}

bool is_of_this_user(pid_t pid) {
    struct stat owner {};
    return ::stat(proc_file(pid, "").c_str(), &owner) == 0 && owner.st_uid == ::geteuid();
}

// A client holds the lock of an instance while it starts the daemon. It has the mark of the unit that it was
// called from; a daemon has removed that mark, or has "daemon" among its arguments if a unit runs it in the
// foreground.
bool is_hob_daemon(const util::proc_stat& process) {
    if (process.comm != "hob" || !holds_daemon_lock(process.pid)) return false;
    if (!read_marks(process.pid).unit) return true;
    bool found = false;
    if (const auto arguments = util::read_file(proc_file(process.pid, "/cmdline"), cmdline_max)) {
        for_each_string(*arguments, [&found](std::string_view word) { found = found || word == "daemon"; });
    }
    return found;
}

bool ignores(pid_t pid, int number) {
    constexpr std::string_view name = "\nSigIgn:\t";
    const std::string status = util::read_file(proc_file(pid, "/status"), status_max).value_or("");
    const auto at = status.find(name);
    std::uint64_t ignored = 0;
    if (at == std::string::npos) return false;
    const char* digits = status.data() + at + name.size();
    std::from_chars(digits, status.data() + status.size(), ignored, 16);
    return ((ignored >> (number - 1)) & 1) != 0;
}

bool is_successor(const scope& target, pid_t pid) {
    return std::any_of(target.successors.begin(), target.successors.end(),
                       [pid](const member& successor) { return successor.pid == pid; });
}

bool is_seen(const scope& target, const util::proc_stat& process) {
    return std::any_of(target.seen.begin(), target.seen.end(), [&process](const member& seen) {
        return seen.pid == process.pid && seen.start_time == process.start_time;
    });
}

// The processes among which a scope's members can be. While the leader is held, this process or its keeper is
// its parent and the subreaper of its orphans: then they are among the descendants of that, outside the trees
// of other units. Else all processes.
std::vector<util::proc_stat> candidates(const scope& target) {
    if (!target.leader_held) return util::all_processes();
    return util::process_tree(root_of_units(), [&](pid_t pid) {
        return pid == target.leader || is_successor(target, pid) || !known_children().contains(pid);
    });
}

std::set<pid_t> members_of_cgroup(const scope& target) {
    if (target.cgroup.empty() || !ends_all(target.kill)) return {};
    const auto members = cgroup_members(target.cgroup);
    return {members.begin(), members.end()};
}

// Between `process` and this process.
bool has_daemon_above(util::proc_stat process) {
    while (process.ppid > 1 && process.ppid != ::getpid() && process.ppid != root_of_units()) {
        auto parent = util::read_proc_stat(process.ppid);
        if (!parent) return false;
        if (is_hob_daemon(*parent)) return true;
        process = std::move(*parent);
    }
    return false;
}

// The scope's cgroup and then /proc, read once.
class process_snapshot {
public:
    explicit process_snapshot(const scope& target)
        : target_(target), cgroup_(members_of_cgroup(target)), all_(candidates(target)) {
        const pid_t self = ::getpid(), root = root_of_units();
        spared_.insert({self, root});
        add_unseen();
        for (const auto& process : all_) {
            children_[process.ppid].push_back(&process);
            if (process.pid == target_.leader && process.start_time != target_.start_time)
                leader_reused_ = true;
        }
        for (const auto& process : all_) {
            if (process.pid == self || process.pid == root || !is_hob_daemon(process)) continue;
            if (process.pid != target_.leader) spared_.insert(process.pid);
            add_descendants(process.pid, spared_);
        }
    }

    // Whether `process` belongs to the scope. A process that belongs may still be spared.
    bool belongs(const util::proc_stat& process) {
        if (process.pid == target_.leader && process.start_time == target_.start_time) return true;
        if (is_successor(target_, process.pid)) return true;
        if (target_.kill == kill_scope::main) return false;
        if (in_group(process)) return true;
        if (target_.kill == kill_scope::group) return false;
        if (target_.leader_held && process.session == target_.leader) return true;
        if (descendants().contains(process.pid) || cgroup_.contains(process.pid)) return true;
        if (is_seen(target_, process)) return true;
        const auto& mark = marks_of(process.pid);
        return mark.instance == target_.instance && mark.unit == target_.unit &&
               is_marked_by_us(process, mark);
    }

    bool in_group(const util::proc_stat& process) const {
        if (target_.terminal && target_.leader_held && process.session == target_.leader) return true;
        if (target_.leader == 0 || process.pgrp != target_.leader) return false;
        if (target_.leader_held) return true;
        return !leader_reused_ && process.session == target_.leader && process.pid != target_.leader &&
               process.start_time >= target_.start_time;
    }

    bool spares(const util::proc_stat& process) {
        if (process.pid == target_.leader || is_successor(target_, process.pid)) return false;
        if (spared_.contains(process.pid)) return true;
        const auto& mark = marks_of(process.pid);
        return mark.instance && *mark.instance != target_.instance;
    }

    const std::vector<util::proc_stat>& all() const { return all_; }

    // True if it holds no process that must be spared. False also if one cannot be examined.
    bool owns_cgroup() {
        std::unordered_map<pid_t, const util::proc_stat*> by_pid;
        for (const auto& process : all_)
            by_pid.emplace(process.pid, &process);
        return std::all_of(cgroup_.begin(), cgroup_.end(), [&](pid_t pid) {
            if (pid <= 1) return false;
            const auto found = by_pid.find(pid);
            if (found != by_pid.end()) return !spares(*found->second);
            return ::kill(pid, 0) != 0 && errno == ESRCH;  // else /proc hides it from us
        });
    }

private:
    // Another user's daemon may have an instance of the same name, with units of the same names.
    static bool is_marked_by_us(const util::proc_stat& process, const marks& mark) {
        return mark.uid ? *mark.uid == std::to_string(::geteuid()) : is_of_this_user(process.pid);
    }

    // Adds processes of the cgroup that are not among the candidates: they were moved into it, or got another
    // parent while /proc was read.
    void add_unseen() {
        std::set<pid_t> missing = cgroup_;
        for (const auto& process : all_)
            missing.erase(process.pid);
        for (const pid_t pid : missing) {
            auto process = util::read_proc_stat(pid);
            if (!process) continue;
            if (has_daemon_above(*process)) spared_.insert(pid);
            all_.push_back(std::move(*process));
        }
    }

    void add_descendants(pid_t root, std::set<pid_t>& into) const {
        std::vector<pid_t> open{root};
        while (!open.empty()) {
            const auto found = children_.find(open.back());
            open.pop_back();
            if (found == children_.end()) continue;
            for (const auto* process : found->second) {
                if (into.insert(process->pid).second) open.push_back(process->pid);
            }
        }
    }

    const std::set<pid_t>& descendants() {
        if (!descendants_) {
            descendants_.emplace();
            if (target_.leader_held) add_descendants(target_.leader, *descendants_);
        }
        return *descendants_;
    }

    const marks& marks_of(pid_t pid) {
        const auto [at, fresh] = marks_.try_emplace(pid);
        if (fresh) at->second = read_marks(pid);
        return at->second;
    }

    const scope& target_;
    std::set<pid_t> cgroup_;
    std::vector<util::proc_stat> all_;
    std::unordered_map<pid_t, std::vector<const util::proc_stat*>> children_;
    std::set<pid_t> spared_;
    bool leader_reused_ = false;  // the leader has ended, and another process has its pid
    std::optional<std::set<pid_t>> descendants_;
    std::unordered_map<pid_t, marks> marks_;
};

}  // namespace

std::vector<member> find_members(const scope& target) {
    process_snapshot snapshot(target);
    std::vector<member> members;
    for (const auto& process : snapshot.all()) {
        if (util::has_ended(process) || !snapshot.belongs(process) || snapshot.spares(process)) continue;
        members.push_back({process.pid, process.start_time});
    }
    return members;
}

bool signal_member(const member& process, int number) {
    const util::process_handle held(process.pid, process.start_time);
    return held && held.signal(number);
}

bool kill_scope_cgroup(const scope& target) {
    if (target.cgroup.empty() || !ends_all(target.kill) || !cgroup_populated(target.cgroup)) return false;
    process_snapshot snapshot(target);
    return snapshot.owns_cgroup() && kill_cgroup(target.cgroup);
}

void signal_scope_group(const scope& target, std::initializer_list<int> numbers) {
    if (!target.leader_held || target.leader <= 1) return;
    const member main =
        target.successors.empty() ? member{target.leader, target.start_time} : target.successors.back();
    const bool killing = std::find(numbers.begin(), numbers.end(), SIGKILL) != numbers.end();
    if (target.kill == kill_scope::main || (target.kill == kill_scope::mixed && !killing)) {
        for (const int number : numbers)
            signal_member(main, number);
        return;
    }
    if (killing) kill_scope_cgroup(target);
    process_snapshot snapshot(target);
    std::vector<member> group, other_groups;
    bool spares_some = false;
    for (const auto& process : snapshot.all()) {
        if (util::has_ended(process) || !snapshot.in_group(process)) continue;
        if (snapshot.spares(process)) {
            spares_some = true;
        } else {
            group.push_back({process.pid, process.start_time});
            if (process.pgrp != target.leader) other_groups.push_back(group.back());
        }
    }
    if (!spares_some) {
        for (const int number : numbers)
            ::kill(-target.leader, number);  // the whole group in one step, which no fork escapes
        group = std::move(other_groups);
    }
    for (const int number : numbers) {
        for (const auto& process : group)
            signal_member(process, number);
    }
}

std::vector<member> find_ignoring(const scope& target, int signal) {
    std::vector<member> ignoring;
    if (!target.leader_held || !target.terminal) return ignoring;
    process_snapshot snapshot(target);
    const pid_t main = target.successors.empty() ? target.leader : target.successors.back().pid;
    const bool main_alone = target.kill == kill_scope::main || target.kill == kill_scope::mixed;
    for (const auto& process : snapshot.all()) {
        const bool meant = main_alone ? process.pid == main : snapshot.in_group(process);
        if (!meant || util::has_ended(process) || snapshot.spares(process)) continue;
        if (ignores(process.pid, signal)) ignoring.push_back({process.pid, process.start_time});
    }
    return ignoring;
}

}  // namespace hob::unit
