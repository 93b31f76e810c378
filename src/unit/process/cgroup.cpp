#include "unit/process/cgroup.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "limits.hpp"
#include "unit/process/known_children.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t proc_file_max = 4u << 20;
constexpr mode_t directory_mode = 0755;
constexpr int cgroups_of_unit_max = 64;
constexpr char number_mark = '+';  // not allowed in a unit's name

template <typename Each>
void for_each_part(std::string_view text, char separator, const Each& each) {
    while (!text.empty()) {
        const auto end = text.find(separator);
        each(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for_each_part(text, separator, [&](std::string_view part) { parts.push_back(part); });
    return parts;
}

// mountinfo writes spaces, tabs, newlines and backslashes as \ooo.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned value = 0;
        if (text[at] == '\\' && at + 3 < text.size() &&
            std::from_chars(text.data() + at + 1, text.data() + at + 4, value, 8).ptr ==
                text.data() + at + 4) {
            plain += static_cast<char>(value);
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

bool is_cgroup2(const std::string& directory) {
    struct statfs filesystem {};
    return ::statfs(directory.c_str(), &filesystem) == 0 && filesystem.f_type == CGROUP2_SUPER_MAGIC;
}

std::vector<std::string> directories_in(const std::string& directory) {
    std::vector<std::string> found;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code gone;
        if (at->is_directory(gone) && !gone) found.push_back(at->path().string());
    }
    return found;
}

void add_members(const std::string& cgroup, std::vector<pid_t>& into) {
    if (const auto text = util::read_file(cgroup + "/cgroup.procs", proc_file_max)) {
        for_each_part(*text, '\n', [&](std::string_view line) {
            pid_t pid = 0;
            if (std::from_chars(line.data(), line.data() + line.size(), pid).ec == std::errc{})
                into.push_back(pid);
        });
    }
    for (const auto& below : directories_in(cgroup))
        add_members(below, into);
}

util::unique_fd open_events(const std::string& cgroup) {
    return util::open_file(cgroup + "/cgroup.events", O_RDONLY);
}

bool write_into(const std::string& path, std::string_view text) {
    const auto file = util::open_file(path, O_WRONLY);
    return file && util::write_all(file.get(), text);
}

bool remove_tree(const std::string& cgroup) {
    for (const auto& below : directories_in(cgroup)) {
        if (!remove_tree(below)) return false;
    }
    return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT;
}

// The directory for this daemon's units, whether or not it exists. A daemon that was started inside a unit of
// its predecessor uses the predecessor's directory. Empty: there is no usable cgroup2.
std::string instance_directory(const std::string& instance_key) {
    const auto mounts = util::read_file("/proc/self/mountinfo", proc_file_max);
    const auto membership = util::read_file("/proc/self/cgroup", proc_file_max);
    if (!mounts || !membership) return {};
    const std::string own = cgroup_directory(*mounts, *membership);
    if (own.empty() || !is_cgroup2(own)) return {};
    const std::string leaf = "/hob-" + instance_key;
    const auto inside = (own + "/").find(leaf + "/");
    return own.substr(0, inside) + leaf;
}

// The file that lists the instance directories of this daemon and of earlier ones, one a line.
std::string list_path(const std::string& state_dir) { return state_dir + "/cgroup"; }

std::vector<std::string> listed_directories(const std::string& instance_key, const std::string& state_dir) {
    std::vector<std::string> paths;
    if (state_dir.empty()) return paths;
    const auto text = util::read_file(list_path(state_dir), limits::small_file_max);
    if (!text) return paths;
    for_each_part(*text, '\n', [&](std::string_view line) {
        if (line.ends_with("/hob-" + instance_key) && is_cgroup2(std::string(line))) paths.emplace_back(line);
    });
    return paths;
}

// Not synced to the disk: no cgroup survives a reboot.
void write_list(const std::string& state_dir, const std::vector<std::string>& paths) {
    if (state_dir.empty()) return;
    const std::string path = list_path(state_dir);
    if (paths.empty()) {
        ::unlink(path.c_str());
        return;
    }
    std::string text;
    for (const auto& line : paths)
        text += line + "\n";
    const auto file = util::open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (file) util::write_all(file.get(), text);
}

}  // namespace

std::string cgroup_directory(std::string_view mountinfo, std::string_view membership) {
    std::string_view own;
    for_each_part(membership, '\n', [&](std::string_view line) {
        if (line.starts_with("0::/")) own = line.substr(3);
    });
    if (own.empty() || (std::string(own) + "/").find("/../") != std::string::npos) return {};
    std::string directory;
    for_each_part(mountinfo, '\n', [&](std::string_view line) {
        const auto dash = line.find(" - ");
        if (dash == std::string_view::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) return;
        const auto fields = parts_of(line.substr(0, dash), ' ');
        if (fields.size() < 5) return;
        std::string root = unescaped(fields[3]);
        if (root == "/") root.clear();
        const auto rest = own.substr(std::min(root.size(), own.size()));
        if (!own.starts_with(root) || !(rest.empty() || rest.front() == '/')) return;
        directory = unescaped(fields[4]);
        if (rest != "/") directory += rest;
    });
    return directory;
}

std::vector<pid_t> cgroup_members(const std::string& cgroup) {
    std::vector<pid_t> found;
    add_members(cgroup, found);
    return found;
}

bool is_populated(int events) {
    std::array<char, 256> text{};
    const auto size = ::pread(events, text.data(), text.size(), 0);
    if (size <= 0) return false;
    const std::string_view lines(text.data(), static_cast<std::size_t>(size));
    return lines.starts_with("populated 1") || lines.find("\npopulated 1") != std::string_view::npos;
}

bool cgroup_populated(const std::string& cgroup) {
    const auto events = open_events(cgroup);
    return events && is_populated(events.get());
}

bool kill_cgroup(const std::string& cgroup) { return write_into(cgroup + "/cgroup.kill", "1"); }

bool wait_unpopulated(const std::string& cgroup, util::deadline limit) {
    const auto events = open_events(cgroup);
    while (events && is_populated(events.get())) {
        if (limit.expired()) return false;
        pollfd change{events.get(), POLLPRI, 0};  // changed since it was last read
        ::poll(&change, 1, limit.poll_timeout());
    }
    return true;
}

bool remove_cgroup(const std::string& cgroup) {
    // A daemon of another instance may live in there and have cgroups of its own units.
    return !cgroup_populated(cgroup) && remove_tree(cgroup);
}

void leave_unit_cgroup(const std::string& instance_key) {
    const auto membership = util::read_file("/proc/self/cgroup", proc_file_max);
    if (!membership || membership->find("/hob-" + instance_key + "/") == std::string::npos) return;
    const std::string directory = instance_directory(instance_key);
    if (directory.empty() || membership->find(std::string(daemon_leaf) + "\n") != std::string::npos) return;
    const std::string own = directory.substr(0, directory.rfind('/'));
    const pid_t keeper = root_of_units();
    if (write_into(own + "/cgroup.procs", "0")) {
        write_into(own + "/cgroup.procs", std::to_string(keeper));
    } else {
        enter_daemon_leaf(directory, keeper);
    }
}

std::vector<std::string> instance_cgroups(const std::string& instance_key, const std::string& state_dir) {
    auto found = listed_directories(instance_key, state_dir);
    auto own = instance_directory(instance_key);
    if (!own.empty() && std::find(found.begin(), found.end(), own) == found.end() && is_cgroup2(own))
        found.push_back(std::move(own));
    return found;
}

std::vector<std::string> unit_cgroups(const std::string& instance_cgroup) {
    auto found = directories_in(instance_cgroup);
    std::erase_if(found, [](const std::string& path) { return path.ends_with(daemon_leaf); });
    return found;
}

std::string name_of_cgroup(const std::string& cgroup) { return cgroup.substr(cgroup.rfind('/') + 1); }

std::string unit_of_cgroup(const std::string& cgroup) {
    const std::string name = name_of_cgroup(cgroup);
    return name.substr(0, name.find(number_mark));
}

std::string cgroup_of_unit_process(pid_t pid) {
    const auto mounts = util::read_file("/proc/self/mountinfo", proc_file_max);
    const auto membership = util::read_file("/proc/" + std::to_string(pid) + "/cgroup", proc_file_max);
    if (!mounts || !membership) return {};
    std::string found = cgroup_directory(*mounts, *membership);
    const std::string home = found.substr(0, found.rfind('/'));
    const bool is_made =
        home.substr(home.rfind('/') + 1).starts_with("hob-") && !found.ends_with(daemon_leaf);
    return is_made ? found : std::string();
}

void remove_empty_cgroups(const std::string& instance_key, const std::string& state_dir) {
    const auto before = instance_cgroups(instance_key, state_dir);
    std::vector<std::string> left;
    for (const auto& home : before) {
        for (const auto& cgroup : directories_in(home))
            remove_cgroup(cgroup);
        if (::rmdir(home.c_str()) != 0 && errno != ENOENT) left.push_back(home);
    }
    write_list(state_dir, left);
}

unit_cgroup::unit_cgroup(cgroup_home& home, std::string path, util::unique_fd directory, controllers limited)
    : home_(&home), path_(std::move(path)), directory_(std::move(directory)), limited_(limited) {
    home_->in_use_.insert(path_);
}

unit_cgroup::unit_cgroup(unit_cgroup&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)),
      path_(std::exchange(other.path_, {})),
      directory_(std::move(other.directory_)),
      limited_(other.limited_) {}

unit_cgroup::~unit_cgroup() { remove(); }

void unit_cgroup::remove() {
    directory_.reset();
    if (path_.empty()) return;
    remove_cgroup(path_);
    home_->in_use_.erase(path_);
    path_.clear();
}

cgroup_home::cgroup_home(std::string instance_key, std::string state_dir)
    : instance_key_(std::move(instance_key)), state_dir_(std::move(state_dir)) {
    const char* const setting = std::getenv("HOB_CGROUP");
    enabled_ = !setting || std::string_view(setting) != "off";
}

cgroup_home::~cgroup_home() {
    remove_empty();
    if (path_.empty() || !unit_cgroups(path_).empty()) return;
    leave_daemon_leaf(path_);
    remove_empty();
}

bool cgroup_home::ensure_directory() {
    if (!enabled_) return false;
    if (!path_.empty() && ::access(path_.c_str(), F_OK) == 0) return true;
    const std::string directory = path_.empty() ? instance_directory(instance_key_) : path_;
    if (directory.empty() || (::mkdir(directory.c_str(), directory_mode) != 0 && errno != EEXIST)) {
        enabled_ = false;  // tried only once: a host that refuses now will refuse later
        return false;
    }
    path_ = directory;
    write_list(state_dir_, instance_cgroups(instance_key_, state_dir_));
    // If the memory controller is delegated, the kernel counts the units' memory; else it is added up from
    // /proc.
    write_into(path_ + "/cgroup.subtree_control", "+memory");
    return true;
}

controllers cgroup_home::limit(const std::string& cgroup, const resource_spec& resources) {
    controllers limited;
    const auto apply = [&](bool controllers::*which, const char* file, const std::string& value) {
        if (refused_.*which) return;
        limited.*which = enable_controller(path_, which) && write_into(cgroup + "/" + file, value);
        refused_.*which = !(limited.*which);
    };
    if (resources == resource_spec()) return limited;
    // The memory of a process is counted only if that was enabled when it began.
    enable_controller(path_, &controllers::memory);
    if (resources.memory_max > 0) {
        apply(&controllers::memory, "memory.max", std::to_string(resources.memory_max));
        // The unit ends as a whole. Before Linux 4.19 the kernel ends one process of it.
        if (limited.memory) write_into(cgroup + "/memory.oom.group", "1");
    }
    if (resources.pids_max > 0) apply(&controllers::pids, "pids.max", std::to_string(resources.pids_max));
    if (resources.cpu_weight != resource_spec().cpu_weight)
        apply(&controllers::cpu, "cpu.weight", std::to_string(resources.cpu_weight));
    return limited;
}

unit_cgroup cgroup_home::make(const std::string& unit, const resource_spec& resources) {
    if (!ensure_directory()) return {};
    for (int number = 1; number <= cgroups_of_unit_max; ++number) {
        std::string path = path_ + "/" + unit;
        if (number > 1) path += number_mark + std::to_string(number);
        if (in_use_.contains(path)) continue;
        if (::mkdir(path.c_str(), directory_mode) != 0) {
            if (errno != EEXIST) return {};
            // A process that an earlier stop spared may still live in it.
            if (!remove_cgroup(path) || ::mkdir(path.c_str(), directory_mode) != 0) continue;
        }
        auto directory = util::open_file(path, O_RDONLY | O_DIRECTORY);
        const controllers limited = limit(path, resources);
        if (directory) return {*this, std::move(path), std::move(directory), limited};
        ::rmdir(path.c_str());
        return {};
    }
    return {};
}

std::string cgroup_home::find(const std::string& name) const {
    const auto exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
    if (!path_.empty() && exists(path_ + "/" + name)) return path_ + "/" + name;
    for (const auto& directory : instance_cgroups(instance_key_, state_dir_)) {
        if (exists(directory + "/" + name)) return directory + "/" + name;
    }
    return {};
}

unit_cgroup cgroup_home::adopt(std::string path, const resource_spec& resources) {
    if (!path.empty() && !path.starts_with('/')) path = find(path);
    if (path.empty() || ::access(path.c_str(), F_OK) != 0) return {};
    if (path_.empty()) path_ = path.substr(0, path.rfind('/'));
    const controllers limited = limit(path, resources);
    return {*this, std::move(path), {}, limited};
}

void cgroup_home::remove_empty() {
    // The cleanup at the start leaves directories in which spared processes live.
    if (path_.empty() && ::access(list_path(state_dir_).c_str(), F_OK) != 0) return;
    remove_empty_cgroups(instance_key_, state_dir_);
}

}  // namespace hob::unit
