#include "unit/process/scope.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include "limits.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/process/environment.hpp"
#include "unit/process/known_children.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t environ_max = 4u << 20;
constexpr std::size_t cmdline_max = 4u << 20;

// What a process's initial environment says.
struct marks {
    std::optional<std::string> instance;
    std::optional<std::string> unit;
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

// What /proc says of a process in the middle of execve(2) is empty for some microseconds, and nothing tells
// when they are over. A program that starts another just now must not pass for one without marks.
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
    marks found;
    const auto bytes = read_environment(pid);
    if (!bytes) return found;
    const auto take = [](std::string_view entry, std::string_view key, std::optional<std::string>& value) {
        if (!value && entry.size() > key.size() && entry[key.size()] == '=' && entry.starts_with(key)) {
            value = entry.substr(key.size() + 1);
        }
    };
    for_each_string(*bytes, [&](std::string_view entry) {
        take(entry, mark_instance, found.instance);
        take(entry, mark_unit, found.unit);
    });
    return found;
}

bool is_ours(pid_t pid) {
    struct stat owner {};
    return ::stat(proc_file(pid, "").c_str(), &owner) == 0 && owner.st_uid == ::geteuid();
}

// A daemon that a unit's process started has dropped the unit's mark; one that a unit runs in the foreground
// says so in its arguments. A client has the mark of the unit that it was called from.
bool is_hob_daemon(const util::proc_stat& process) {
    if (process.comm != "hob") return false;
    if (!read_marks(process.pid).unit) return true;
    bool found = false;
    if (const auto arguments = util::read_file(proc_file(process.pid, "/cmdline"), cmdline_max)) {
        for_each_string(*arguments, [&found](std::string_view word) { found = found || word == "daemon"; });
    }
    return found;
}

// Where members of a scope can be. While its leader is held, this process is its parent and the subreaper of
// whatever left it: then that is among our own descendants, and not in another unit's tree. Else everywhere.
std::vector<util::proc_stat> candidates(const scope& wanted) {
    if (!wanted.leader_held) return util::all_processes();
    return util::process_tree(
        ::getpid(), [&](pid_t pid) { return pid == wanted.leader || !known_children().contains(pid); });
}

std::set<pid_t> members_of_cgroup(const scope& wanted) {
    if (wanted.cgroup.empty() || wanted.kill != kill_scope::all) return {};
    const auto members = cgroup_members(wanted.cgroup);
    return {members.begin(), members.end()};
}

// Above `process`, and not above us.
bool has_daemon_above(util::proc_stat process) {
    const pid_t self = ::getpid();
    while (process.ppid > 1 && process.ppid != self) {
        auto parent = util::read_proc_stat(process.ppid);
        if (!parent) return false;
        if (is_hob_daemon(*parent)) return true;
        process = std::move(*parent);
    }
    return false;
}

// One reading of /proc, and before it of the scope's cgroup.
class census {
public:
    explicit census(const scope& wanted)
        : wanted_(wanted), cgroup_(members_of_cgroup(wanted)), all_(candidates(wanted)) {
        const pid_t self = ::getpid();
        spared_.insert(self);
        add_unseen();
        for (const auto& process : all_)
            children_[process.ppid].push_back(&process);
        for (const auto& process : all_) {
            if (process.pid == self || !is_hob_daemon(process)) continue;
            if (process.pid != wanted_.leader) spared_.insert(process.pid);
            add_descendants(process.pid, spared_);
        }
    }

    // Whether `process` belongs to the scope; sparing is not considered.
    bool belongs(const util::proc_stat& process) {
        if (process.pid == wanted_.leader && process.start_time == wanted_.start_time) return true;
        if (wanted_.kill == kill_scope::main) return false;
        if (in_group(process)) return true;
        if (wanted_.kill == kill_scope::group) return false;
        if (wanted_.leader_held && process.session == wanted_.leader) return true;
        if (descendants().contains(process.pid) || cgroup_.contains(process.pid)) return true;
        const auto& mark = marks_of(process.pid);
        return mark.instance == wanted_.instance && mark.unit == wanted_.unit;
    }

    bool in_group(const util::proc_stat& process) const {
        if (wanted_.leader == 0 || process.pgrp != wanted_.leader) return false;
        if (wanted_.leader_held) return true;
        return process.session == wanted_.leader && process.pid != wanted_.leader &&
               process.start_time >= wanted_.start_time;
    }

    bool spares(const util::proc_stat& process) {
        if (process.pid == wanted_.leader) return false;
        if (spared_.contains(process.pid) || !is_ours(process.pid)) return true;
        const auto& mark = marks_of(process.pid);
        return mark.instance && *mark.instance != wanted_.instance;
    }

    const std::vector<util::proc_stat>& all() const { return all_; }

    // Nobody in it is spared, as far as can be seen.
    bool owns_cgroup() {
        std::unordered_map<pid_t, const util::proc_stat*> seen;
        for (const auto& process : all_)
            seen.emplace(process.pid, &process);
        return std::all_of(cgroup_.begin(), cgroup_.end(), [&](pid_t pid) {
            if (pid <= 1) return false;
            const auto found = seen.find(pid);
            if (found != seen.end()) return !spares(*found->second);
            return ::kill(pid, 0) != 0 && errno == ESRCH;  // else it is hidden from us
        });
    }

private:
    // Who lives in the cgroup and is not where a scope's members are looked for: it was moved there, or was
    // given another parent while /proc was read.
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
            if (wanted_.leader_held) add_descendants(wanted_.leader, *descendants_);
        }
        return *descendants_;
    }

    const marks& marks_of(pid_t pid) {
        const auto [at, fresh] = marks_.try_emplace(pid);
        if (fresh) at->second = read_marks(pid);
        return at->second;
    }

    const scope& wanted_;
    std::set<pid_t> cgroup_;
    std::vector<util::proc_stat> all_;
    std::unordered_map<pid_t, std::vector<const util::proc_stat*>> children_;
    std::set<pid_t> spared_;
    std::optional<std::set<pid_t>> descendants_;
    std::unordered_map<pid_t, marks> marks_;
};

}  // namespace

std::vector<member> find_members(const scope& wanted) {
    census now(wanted);
    std::vector<member> found;
    for (const auto& process : now.all()) {
        if (util::has_ended(process) || !now.belongs(process) || now.spares(process)) continue;
        found.push_back({process.pid, process.start_time});
    }
    return found;
}

bool signal_member(const member& target, int number) {
    const util::unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, target.pid, 0)));
    if (!pidfd) return false;
    const auto stat = util::read_proc_stat(target.pid);
    if (!stat || stat->start_time != target.start_time) {
        errno = ESRCH;
        return false;
    }
    return ::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0) == 0;
}

bool kill_scope_cgroup(const scope& wanted) {
    if (wanted.cgroup.empty() || wanted.kill != kill_scope::all || !cgroup_populated(wanted.cgroup))
        return false;
    census now(wanted);
    return now.owns_cgroup() && kill_cgroup(wanted.cgroup);
}

void signal_scope_group(const scope& wanted, std::initializer_list<int> numbers) {
    if (!wanted.leader_held || wanted.leader <= 1) return;
    const member leader{wanted.leader, wanted.start_time};
    if (wanted.kill == kill_scope::main) {
        for (const int number : numbers)
            signal_member(leader, number);
        return;
    }
    if (std::find(numbers.begin(), numbers.end(), SIGKILL) != numbers.end()) kill_scope_cgroup(wanted);
    census now(wanted);
    std::vector<member> group;
    bool sparing = false;
    for (const auto& process : now.all()) {
        if (util::has_ended(process) || !now.in_group(process)) continue;
        if (now.spares(process)) {
            sparing = true;
        } else {
            group.push_back({process.pid, process.start_time});
        }
    }
    if (!sparing) {
        for (const int number : numbers)
            ::kill(-wanted.leader, number);  // all of it in one step: nothing forks past it
        return;
    }
    for (const int number : numbers) {
        for (const auto& process : group)
            signal_member(process, number);
    }
}

}  // namespace hob::unit
