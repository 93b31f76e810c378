#include "unit/process/cgroup_controllers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <vector>

#include "limits.hpp"
#include "unit/process/cgroup.hpp"
#include "unit/process/known_children.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr mode_t directory_mode = 0755;

std::string_view name_of(bool controllers::*which) {
    if (which == &controllers::memory) return "memory";
    return which == &controllers::pids ? "pids" : "cpu";
}

bool write_into(const std::string& path, const std::string& text) {
    const auto file = util::open_file(path, O_WRONLY);
    return file && util::write_all(file.get(), text);
}

// The words of a file, which blanks and newlines separate.
std::vector<std::string> words_in(const std::string& path) {
    std::vector<std::string> words;
    const std::string text = util::read_file(path, limits::small_file_max).value_or("");
    std::size_t begin = 0;
    while ((begin = text.find_first_not_of(" \n", begin)) != std::string::npos) {
        const auto end = std::min(text.find_first_of(" \n", begin), text.size());
        words.push_back(text.substr(begin, end - begin));
        begin = end;
    }
    return words;
}

bool has_word(const std::string& path, std::string_view word) {
    const auto words = words_in(path);
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool set_controller(const std::string& cgroup, std::string_view name, bool on) {
    return write_into(cgroup + "/cgroup.subtree_control", (on ? "+" : "-") + std::string(name));
}

std::string parent_of(const std::string& home) { return home.substr(0, home.rfind('/')); }

// The processes of the cgroup itself; none if it holds one that is not of this daemon, its keeper and their
// descendants.
std::vector<std::string> own_processes(const std::string& cgroup) {
    auto members = words_in(cgroup + "/cgroup.procs");
    const auto tree = util::process_tree(root_of_units());
    const bool all_ours = std::all_of(members.begin(), members.end(), [&tree](const std::string& member) {
        return std::any_of(tree.begin(), tree.end(), [&member](const util::proc_stat& process) {
            return std::to_string(process.pid) == member;
        });
    });
    if (!all_ours) members.clear();
    return members;
}

void move_all(const std::vector<std::string>& members, const std::string& to) {
    for (const auto& member : members)
        write_into(to + "/cgroup.procs", member);
}

// What is forked meanwhile is moved in a further turn.
bool vacate(const std::string& cgroup, const std::string& leaf) {
    constexpr int turns_max = 10;
    for (int turn = 0; turn < turns_max; ++turn) {
        if (words_in(cgroup + "/cgroup.procs").empty()) return true;
        const auto members = own_processes(cgroup);
        if (members.empty()) return false;
        move_all(members, leaf);
    }
    return false;
}

bool enable_in_own_cgroup(const std::string& home, std::string_view name) {
    const std::string own = parent_of(home);
    if (has_word(own + "/cgroup.subtree_control", name)) return true;
    if (!has_word(own + "/cgroup.controllers", name)) return false;
    // In a cgroup with processes the kernel refuses some controllers, and enables others so that the cgroups
    // inside cannot have processes. Only the root of all cgroups may have both.
    const bool is_root = ::access((own + "/cgroup.type").c_str(), F_OK) != 0;
    if (is_root || words_in(own + "/cgroup.procs").empty()) return set_controller(own, name, true);
    const std::string leaf = home + std::string(daemon_leaf);
    if (own_processes(own).empty()) return false;
    if (::mkdir(leaf.c_str(), directory_mode) != 0 && errno != EEXIST) return false;
    if (vacate(own, leaf) && set_controller(own, name, true)) return true;
    move_all(words_in(leaf + "/cgroup.procs"), own);
    ::rmdir(leaf.c_str());
    return false;
}

std::uint64_t count_of(const std::vector<std::string>& words, std::string_view key) {
    const auto at = std::find(words.begin(), words.end(), key);
    std::uint64_t count = 0;
    if (at == words.end() || at + 1 == words.end()) return count;
    const std::string& text = *(at + 1);
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

}  // namespace

bool enable_controller(const std::string& home, bool controllers::*which) {
    const std::string_view name = name_of(which);
    if (has_word(home + "/cgroup.subtree_control", name)) return true;
    return enable_in_own_cgroup(home, name) && set_controller(home, name, true);
}

bool enter_daemon_leaf(const std::string& home, pid_t keeper) {
    const std::string leaf = home + std::string(daemon_leaf);
    if (::mkdir(leaf.c_str(), directory_mode) != 0 && errno != EEXIST) return false;
    return write_into(leaf + "/cgroup.procs", "0") &&
           write_into(leaf + "/cgroup.procs", std::to_string(keeper));
}

void leave_daemon_leaf(const std::string& home) {
    const std::string leaf = home + std::string(daemon_leaf);
    if (::access(leaf.c_str(), F_OK) != 0) return;
    for (const auto& cgroup : {home, parent_of(home)}) {
        for (const auto& name : words_in(cgroup + "/cgroup.subtree_control"))
            set_controller(cgroup, name, false);
    }
    move_all(words_in(leaf + "/cgroup.procs"), parent_of(home));
}

out_of_memory memory_verdict(const std::string& cgroup) {
    const auto events = words_in(cgroup + "/memory.events");
    if (count_of(events, "oom_kill") == 0) return out_of_memory::no;
    return count_of(events, "oom") > 0 ? out_of_memory::own_limit : out_of_memory::elsewhere;
}

}  // namespace hob::unit
