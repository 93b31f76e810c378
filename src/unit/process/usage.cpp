#include "unit/process/usage.hpp"

#include <unistd.h>

#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "unit/process/cgroup.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t counters_max = 64u << 10;

std::optional<std::int64_t> number_at(std::string_view text) {
    std::int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
    return value;
}

std::optional<std::int64_t> memory_bytes(const std::string& cgroup) {
    const auto text = util::read_file(cgroup + "/memory.current", counters_max);
    return text ? number_at(*text) : std::nullopt;
}

std::optional<std::int64_t> cpu_microseconds(const std::string& cgroup) {
    constexpr std::string_view key = "usage_usec ";
    const auto text = util::read_file(cgroup + "/cpu.stat", counters_max);
    const auto at = text ? text->find(key) : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    return number_at(std::string_view(*text).substr(at + key.size()));
}

usage usage_in_proc(pid_t root, const std::string& cgroup) {
    static const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
    static const long page_kib = ::sysconf(_SC_PAGESIZE) / 1024;
    usage sum;
    const auto add = [&sum](const util::proc_stat& process) {
        sum.rss_kib += static_cast<std::int64_t>(process.rss_pages) * page_kib;
        sum.cpu_ms += static_cast<std::int64_t>(process.cpu_ticks) * 1000 / ticks_per_second;
    };
    std::set<pid_t> outside_tree;
    if (!cgroup.empty()) {
        for (const pid_t pid : cgroup_members(cgroup))
            outside_tree.insert(pid);
    }
    for (const auto& process : util::process_tree(root)) {
        add(process);
        outside_tree.erase(process.pid);
    }
    for (const pid_t pid : outside_tree) {
        if (const auto process = util::read_proc_stat(pid)) add(*process);
    }
    return sum;
}

}  // namespace

usage tree_usage(pid_t root, const std::string& cgroup) {
    if (cgroup.empty()) return usage_in_proc(root, cgroup);
    const auto memory = memory_bytes(cgroup);
    const auto cpu = cpu_microseconds(cgroup);
    usage result;
    if (!memory || !cpu) result = usage_in_proc(root, cgroup);
    if (memory) result.rss_kib = *memory / 1024;
    if (cpu) result.cpu_ms = *cpu / 1000;
    return result;
}

}  // namespace hob::unit
