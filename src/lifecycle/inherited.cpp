#include "lifecycle/inherited.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::lifecycle {
namespace {

constexpr rlim_t normal_stack = 8u << 20;
constexpr unsigned long normal_timer_slack = 50'000;  // nanoseconds
// What systemd gives to the processes of a user's session; the user cannot go below it.
constexpr long session_oom_score = 200;
constexpr const char* oom_score_path = "/proc/self/oom_score_adj";

void use_every_cpu() {
    // CPUs that do not exist, or that a cpuset excludes, are left out by the kernel.
    std::array<cpu_set_t, 8> every;
    std::memset(every.data(), 0xff, sizeof every);
    ::sched_setaffinity(0, sizeof every, every.data());
}

void normal_io_class() {
    constexpr int this_process = 1;
    constexpr int follows_nice_value = 0;
    ::syscall(SYS_ioprio_set, this_process, 0, follows_nice_value);
}

void normal_memory_policy() {
    constexpr int nearest_node = 0;
    ::syscall(SYS_set_mempolicy, nearest_node, nullptr, 0UL);
    ::prctl(PR_SET_THP_DISABLE, 0UL, 0UL, 0UL, 0UL);
}

long oom_score() {
    const auto text = util::read_file(oom_score_path, 64);
    return text ? std::strtol(text->c_str(), nullptr, 10) : 0;
}

bool set_oom_score(long score) {
    const util::unique_fd file = util::open_file(oom_score_path, O_WRONLY);
    return file && util::write_all(file.get(), std::to_string(score));
}

// Without privileges a score can be lowered only to the lowest that a privileged process has set, and that
// cannot be read.
void normal_oom_score() {
    const long inherited = oom_score();
    if (inherited == 0 || set_oom_score(0) || inherited < 0) return;
    long refused = 0;
    long lowest = inherited;
    while (lowest - refused > 1) {
        const long between = refused + (lowest - refused) / 2;
        (set_oom_score(between) ? lowest : refused) = between;
    }
}

void normal_scheduling() {
    ::setpriority(PRIO_PROCESS, 0, 0);
    if (::sched_getscheduler(0) != SCHED_OTHER) {
        const sched_param normal{};
        ::sched_setscheduler(0, SCHED_OTHER, &normal);
    }
    ::prctl(PR_SET_TIMERSLACK, normal_timer_slack);
}

void normal_limits() {
    for (int number = 0; number < RLIM_NLIMITS; ++number) {
        const auto resource = static_cast<__rlimit_resource>(number);
        rlimit limit{};
        if (resource == RLIMIT_CORE || ::getrlimit(resource, &limit) != 0) continue;
        const rlim_t normal =
            resource == RLIMIT_STACK ? std::min(normal_stack, limit.rlim_max) : limit.rlim_max;
        if (limit.rlim_cur == normal) continue;
        limit.rlim_cur = normal;
        ::setrlimit(resource, &limit);
    }
}

std::optional<std::uint64_t> bounding_set(const char* status_path) {
    const auto text = util::read_file(status_path, 64u << 10);
    const auto at = text ? text->find("\nCapBnd:") : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    return std::strtoull(text->c_str() + at + std::strlen("\nCapBnd:"), nullptr, 16);
}

void add_bounding_set(std::vector<std::string>& into) {
    const auto ours = bounding_set("/proc/self/status");
    const auto normal = bounding_set("/proc/1/status");
    if (ours && normal && (*normal & ~*ours) != 0)
        into.push_back(fmt::format("the capability bounding set {:016x}", *ours));
}

struct limit_row {
    __rlimit_resource resource;
    rlim_t enough;  // RLIM_INFINITY: none but no limit
    const char* words;
};

constexpr limit_row hard_limits[] = {
    {RLIMIT_FSIZE, RLIM_INFINITY, "a hard limit of {} bytes a file"},
    {RLIMIT_CPU, RLIM_INFINITY, "a hard limit of {} s of CPU time"},
    {RLIMIT_AS, RLIM_INFINITY, "a hard limit of {} bytes of address space"},
    {RLIMIT_DATA, RLIM_INFINITY, "a hard limit of {} bytes of data"},
    {RLIMIT_STACK, normal_stack, "a hard limit of {} bytes of stack"},
    {RLIMIT_NOFILE, 1024, "a hard limit of {} descriptors"},
    {RLIMIT_NPROC, 1024, "a hard limit of {} processes"},
};

void add_hard_limits(std::vector<std::string>& into) {
    for (const auto& row : hard_limits) {
        rlimit limit{};
        if (::getrlimit(row.resource, &limit) != 0 || limit.rlim_max >= row.enough) continue;
        into.push_back(fmt::format(fmt::runtime(row.words), limit.rlim_max));
    }
}

struct namespace_row {
    const char* file;
    const char* words;
};

constexpr namespace_row namespaces[] = {
    {"net", "another network namespace"},
    {"mnt", "another mount namespace"},
    {"pid", "another PID namespace"},
};

std::optional<ino_t> namespace_of(const std::string& process, const char* file) {
    struct stat found {};
    if (::stat(("/proc/" + process + "/ns/" + file).c_str(), &found) != 0) return std::nullopt;
    return found.st_ino;
}

// Those that `one` is in and `other` is not.
void add_namespaces(const std::string& one, const std::string& other, std::vector<std::string>& into) {
    for (const auto& row : namespaces) {
        const auto first = namespace_of(one, row.file);
        const auto second = namespace_of(other, row.file);
        if (first && second && *first != *second) into.push_back(row.words);
    }
}

}  // namespace

void undo_inherited() {
    normal_scheduling();
    normal_io_class();
    use_every_cpu();
    normal_memory_policy();
    normal_oom_score();
    ::personality(PER_LINUX);
    normal_limits();
}

std::vector<std::string> inherited_for_good() {
    std::vector<std::string> kept;
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL) == 1) kept.push_back("no_new_privs");
    add_bounding_set(kept);
    add_namespaces("self", "1", kept);
    add_hard_limits(kept);
    if (util::proc_is_of_another_namespace()) kept.push_back("a /proc of another PID namespace");
    return kept;
}

std::vector<std::string> inherited_still() {
    std::vector<std::string> kept;
    if (const int nice = ::getpriority(PRIO_PROCESS, 0); nice > 0)
        kept.push_back(fmt::format("nice {}", nice));
    switch (::sched_getscheduler(0)) {
        case SCHED_OTHER:
            break;
        case SCHED_IDLE:
            kept.push_back("the scheduling policy idle");
            break;
        default:
            kept.push_back("a scheduling policy other than the normal one");
    }
    if (const long score = oom_score(); score > session_oom_score)
        kept.push_back(fmt::format("the OOM score {}", score));
    return kept;
}

std::vector<std::string> namespaces_apart(pid_t other) {
    std::vector<std::string> apart;
    if (other > 0) add_namespaces(std::to_string(other), "self", apart);
    return apart;
}

}  // namespace hob::lifecycle
