#include "util/proc.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "util/fd.hpp"

namespace hob::util {
namespace {

constexpr std::size_t stat_max = 4096;
constexpr std::size_t environ_max = 4u << 20;
constexpr std::size_t children_max = 4u << 20;

std::string proc_path(pid_t pid, const char* leaf) { return "/proc/" + std::to_string(pid) + "/" + leaf; }

constexpr std::size_t stat_fields = 49;  // behind the name, as far as they are read here

// The blank-separated fields; empty where there are fewer.
std::array<std::string_view, stat_fields> fields_of(std::string_view text) {
    std::array<std::string_view, stat_fields> fields{};
    for (auto& each : fields) {
        const auto end = std::min(text.find(' '), text.size());
        each = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return fields;
}

template <typename Number>
Number number(std::string_view text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// Decimal numbers, each followed by a blank.
void add_numbers(std::string_view text, std::vector<pid_t>& into) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        pid_t value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error == std::errc{}) into.push_back(value);
        at = next + 1;
    }
}

}  // namespace

std::optional<proc_stat> read_proc_stat(pid_t pid) {
    const auto bytes = read_file(proc_path(pid, "stat"), stat_max);
    if (!bytes) return std::nullopt;
    // The name is in parentheses and may itself hold blanks and parentheses: it ends at the last one.
    const auto name_start = bytes->find('(');
    const auto name_end = bytes->rfind(')');
    if (name_start == std::string::npos || name_end == std::string::npos || name_end + 2 > bytes->size())
        return std::nullopt;
    const std::string_view rest = std::string_view(*bytes).substr(name_end + 2);
    const auto fields = fields_of(rest);
    proc_stat stat;
    stat.pid = pid;
    stat.comm = bytes->substr(name_start + 1, name_end - name_start - 1);
    stat.state = rest.empty() ? '?' : rest.front();
    stat.ppid = number<pid_t>(fields[1]);
    stat.pgrp = number<pid_t>(fields[2]);
    stat.session = number<pid_t>(fields[3]);
    for (const std::size_t ticks : {11u, 12u, 13u, 14u})
        stat.cpu_ticks += number<std::uint64_t>(fields[ticks]);
    stat.threads = number<int>(fields[17]);
    stat.start_time = number<std::uint64_t>(fields[19]);
    stat.rss_pages = number<std::uint64_t>(fields[21]);
    const bool has_memory = number<std::uint64_t>(fields[20]) != 0;  // a kernel thread or a zombie has none
    const auto environment_end = number<std::uint64_t>(fields[48]);
    if (!has_memory || environment_end != 0) {
        stat.environment_bytes = environment_end - number<std::uint64_t>(fields[47]);
    }
    return stat;
}

bool has_ended(const proc_stat& process) {
    return (process.state == 'Z' || process.state == 'X') && process.threads <= 1;
}

std::uint64_t own_start_time() {
    const auto stat = read_proc_stat(::getpid());
    return stat ? stat->start_time : 0;
}

bool proc_is_of_another_namespace() {
    char target[32];
    const ssize_t length = ::readlink("/proc/self", target, sizeof target);
    return length > 0 &&
           number<pid_t>(std::string_view(target, static_cast<std::size_t>(length))) != ::getpid();
}

std::vector<proc_stat> all_processes() {
    std::vector<proc_stat> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc"), ::closedir);
    if (!dir) return found;
    while (const dirent* entry = ::readdir(dir.get())) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        if (auto stat = read_proc_stat(number<pid_t>(entry->d_name))) found.push_back(std::move(*stat));
    }
    return found;
}

std::vector<pid_t> descendants_of(pid_t root, const std::vector<proc_stat>& all) {
    std::vector<pid_t> found{root};
    for (std::size_t next = 0; next < found.size(); ++next) {
        for (const auto& process : all) {
            if (process.ppid == found[next] &&
                std::find(found.begin(), found.end(), process.pid) == found.end()) {
                found.push_back(process.pid);
            }
        }
    }
    found.erase(found.begin());
    return found;
}

std::optional<std::vector<pid_t>> children_of(pid_t pid) {
    const std::string tasks = proc_path(pid, "task");
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(tasks.c_str()), ::closedir);
    if (!dir) return std::nullopt;
    std::vector<pid_t> found;
    while (const dirent* entry = ::readdir(dir.get())) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        const auto list = read_file(tasks + "/" + entry->d_name + "/children", children_max);
        if (!list && errno == ENOENT && number<pid_t>(entry->d_name) == pid) return std::nullopt;
        if (list) add_numbers(*list, found);
    }
    return found;
}

namespace {

// Whether this kernel was built with these lists. Checks only that ours exists: it may hold a thousand pids.
bool lists_children() {
    const std::string self = std::to_string(::getpid());
    return ::access(("/proc/" + self + "/task/" + self + "/children").c_str(), F_OK) == 0 || errno != ENOENT;
}

}  // namespace

std::vector<proc_stat> process_tree(pid_t root, const std::function<bool(pid_t)>& enter) {
    const bool listed = lists_children();
    std::unordered_map<pid_t, std::vector<pid_t>> by_parent;
    if (!listed) {
        for (const auto& process : all_processes())
            by_parent[process.ppid].push_back(process.pid);
    }
    std::vector<proc_stat> found;
    std::vector<pid_t> pending{root};
    while (!pending.empty()) {
        const pid_t pid = pending.back();
        pending.pop_back();
        if (enter && !enter(pid)) continue;
        auto stat = read_proc_stat(pid);
        if (!stat) continue;
        found.push_back(std::move(*stat));
        const auto below = listed ? children_of(pid).value_or(std::vector<pid_t>()) : by_parent[pid];
        pending.insert(pending.end(), below.begin(), below.end());
    }
    return found;
}

std::optional<std::string> proc_environment_value(pid_t pid, const std::string& name) {
    const auto bytes = read_file(proc_path(pid, "environ"), environ_max);
    if (!bytes) return std::nullopt;
    for (std::size_t at = 0; at < bytes->size();) {
        const auto end = std::min(bytes->find('\0', at), bytes->size());
        const std::string_view entry = std::string_view(*bytes).substr(at, end - at);
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return std::string(entry.substr(name.size() + 1));
        }
        at = end + 1;
    }
    return std::nullopt;
}

std::string boot_id() {
    auto bytes = read_file("/proc/sys/kernel/random/boot_id", 64);
    if (!bytes) return {};
    while (!bytes->empty() && bytes->back() == '\n')
        bytes->pop_back();
    return *bytes;
}

const char* state_text(char state) {
    switch (state) {
        case 'R':
            return "running";
        case 'S':
            return "sleeping";
        case 'D':
            return "in uninterruptible sleep";
        case 'T':
            return "stopped";
        case 't':
            return "stopped by a debugger";
        case 'Z':
            return "a zombie";
        case 'X':
            return "dead";
        case 'I':
            return "idle";
        default:
            return "in an unknown state";
    }
}

}  // namespace hob::util
