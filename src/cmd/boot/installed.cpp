#include "cmd/boot/installed.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/directories.hpp"
#include "limits.hpp"
#include "util/fd.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view prefix = "hob-";
constexpr std::string_view service_suffix = ".service";

bool same_file(const struct stat& one, const struct stat& other) {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// The first program of this name in PATH; empty: none.
std::string in_path(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "";
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string file = std::string(rest.substr(0, end)) + "/" + program;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (file.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
    }
    return {};
}

std::optional<account> find_in_passwd(const std::function<bool(const passwd&)>& is_it) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/passwd", "re"), std::fclose);
    if (!file) return std::nullopt;
    while (const passwd* entry = ::fgetpwent(file.get())) {
        if (is_it(*entry))
            return account{entry->pw_name, entry->pw_uid, entry->pw_gid, entry->pw_dir ? entry->pw_dir : ""};
    }
    return std::nullopt;
}

}  // namespace

std::string unit_directory(boot_scope scope) {
    if (scope == boot_scope::system) return "/etc/systemd/system";
    const char* base = std::getenv("XDG_CONFIG_HOME");
    const std::string config = base && base[0] == '/' ? base : lifecycle::home_directory() + "/.config";
    return config + "/systemd/user";
}

std::vector<std::string> unit_names(const lifecycle::instance& where) {
    const std::string stem = std::string(prefix) + where.key;
    return {stem + ".service", stem + ".socket"};
}

std::string wants_link(boot_scope scope, const std::string& unit) {
    const char* target = unit.ends_with(".socket")   ? "sockets.target"
                         : scope == boot_scope::user ? "default.target"
                                                     : "multi-user.target";
    return fmt::format("{}/{}.wants/{}", unit_directory(scope), target, unit);
}

std::optional<installed_unit> read_unit(const std::string& path) {
    auto text = util::read_file(path, limits::small_file_max);
    if (!text) return std::nullopt;
    installed_unit found;
    found.path = path;
    found.writer = writer_of(*text);
    found.root = own_value(*text, "Root");
    found.program = own_value(*text, "Program");
    found.text = std::move(*text);
    return found;
}

std::vector<std::string> keys_of_moved(boot_scope scope) {
    std::vector<std::string> keys;
    const std::string directory = unit_directory(scope);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return keys;
    while (const dirent* entry = ::readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix) || !name.ends_with(service_suffix)) continue;
        const auto unit = read_unit(fmt::format("{}/{}", directory, name));
        struct stat root {};
        const bool gone = unit && unit->writer != written_by::others && !unit->root.empty() &&
                          ::stat(unit->root.c_str(), &root) != 0 && errno == ENOENT;
        if (gone)
            keys.emplace_back(
                name.substr(prefix.size(), name.size() - prefix.size() - service_suffix.size()));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

std::string path_of_program() {
    constexpr const char* self = "/proc/self/exe";
    char target[PATH_MAX];
    const ssize_t size = ::readlink(self, target, sizeof target);
    struct stat own {};
    if (size <= 0 || ::stat(self, &own) != 0) throw denied("find", self, errno);
    std::string path(target, static_cast<std::size_t>(size));
    struct stat named {};
    const std::string found = in_path(this_program.name);
    if (!found.empty() && ::stat(found.c_str(), &named) == 0 && same_file(named, own)) return found;
    if (::stat(path.c_str(), &named) == 0 && same_file(named, own)) return path;
    throw failure(error_kind::denied, cannot("find", this_program.name),
                  "its file was replaced while it runs", "run the command again");
}

bool runs_in_unit(pid_t process, const std::string& unit) {
    const auto cgroups = util::read_file(fmt::format("/proc/{}/cgroup", process), limits::small_file_max);
    return cgroups && (*cgroups + "/").find("/" + unit) != std::string::npos;
}

std::optional<account> find_account(const std::string& name) {
    return find_in_passwd([&](const passwd& entry) { return name == entry.pw_name; });
}

std::optional<account> find_account(uid_t uid) {
    return find_in_passwd([uid](const passwd& entry) { return entry.pw_uid == uid; });
}

bool lingers(const std::string& user) {
    return ::access(("/var/lib/systemd/linger/" + user).c_str(), F_OK) == 0;
}

}  // namespace hob::cmd
