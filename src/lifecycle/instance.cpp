#include "lifecycle/instance.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/directories.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/fd.hpp"
#include "util/sha256.hpp"

namespace hob::lifecycle {
namespace {

constexpr std::size_t slug_max = 32;
constexpr std::size_t name_max = 64;
constexpr std::size_t hash_digits = 12;
constexpr const char* user_key = "user";
constexpr int climb_max = 64;  // levels above a directory without a path

bool plain(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

std::string slug_of(const std::string& real_root) {
    std::string slug;
    for (const char c : real_root.substr(real_root.rfind('/') + 1)) {
        if (slug.empty() && (c == '.' || c == '-')) continue;
        slug += plain(c) ? c : '_';
        if (slug.size() == slug_max) break;
    }
    return slug.empty() ? "root" : slug;
}

// The path from our root directory to an open directory; empty if there is none, or no /proc. The kernel also
// names directories that no path leads to: deleted ones, and those of a file system that was unmounted.
std::string path_of(int fd) {
    std::string target(PATH_MAX, '\0');
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
    if (n < 0) return {};
    target.resize(static_cast<std::size_t>(n));
    struct stat open {};
    struct stat named {};
    const bool same = target.starts_with('/') && ::fstat(fd, &open) == 0 &&
                      ::stat(target.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
                      open.st_ino == named.st_ino;
    return same ? target : std::string();
}

// The path of the directory or of the nearest one above it that has a path. A directory that was deleted has
// none, but its parents can still be reached by "..".
std::optional<std::string> nearest_path(util::unique_fd directory) {
    for (int level = 0; level < climb_max && directory; ++level) {
        std::string path = path_of(directory.get());
        if (!path.empty()) return path;
        directory.reset(::openat(directory.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return std::nullopt;
}

failure no_path(cannot tried, int directory) {
    struct stat found {};
    const bool deleted = directory >= 0 && ::fstat(directory, &found) == 0 && found.st_nlink == 0;
    return failure(
        error_kind::denied, std::move(tried),
        deleted ? "it was deleted" : "no path from the root directory leads to it, as after an unmount",
        "change to a directory that exists, or use -C DIR");
}

// The nearest directory above; nullopt: there is none.
std::optional<std::string> parent_of(const std::string& directory) {
    const auto slash = directory.rfind('/');
    if (slash == std::string::npos || directory == "/") return std::nullopt;
    return slash == 0 ? "/" : directory.substr(0, slash);
}

// The real path of the directory that `given` names.
std::string named_directory(const std::string& given) {
    util::unique_fd fd = util::open_file(given, O_PATH | O_DIRECTORY);
    if (!fd) {
        throw failure(error_kind::usage, cannot("use", given, "as a directory"), errno_text(errno));
    }
    std::string path = path_of(fd.get());
    if (!path.empty()) return path;
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(given.c_str(), nullptr), &::free);
    if (real && real.get()[0] == '/') return real.get();
    const failure none = no_path(cannot("find the path of", given), fd.get());
    if (auto nearest = nearest_path(std::move(fd))) return std::move(*nearest);
    throw none;
}

// The real path of the directory to begin in.
std::string starting_directory(const std::optional<std::string>& directory) {
    if (directory) return named_directory(*directory);
    std::string here(PATH_MAX, '\0');
    if (::getcwd(here.data(), here.size())) {
        here.resize(std::strlen(here.c_str()));
        if (here.starts_with('/')) return here;  // it is "(unreachable)/…" outside of our root directory
    } else if (errno == ENAMETOOLONG || errno == ERANGE) {
        // The path is too long. A parent would be another directory, with another daemon.
        throw failure(error_kind::denied, cannot("use the current directory"), errno_text(ENAMETOOLONG));
    }
    util::unique_fd fd = util::open_file(".", O_PATH | O_DIRECTORY);
    const failure none = no_path(cannot("find the current directory"), fd.get());
    if (auto nearest = nearest_path(std::move(fd))) return std::move(*nearest);
    throw none;
}

std::string config_in(const std::string& directory) {
    return (directory == "/" ? "" : directory) + "/" + this_program.config_file;
}

bool has_config(const std::string& directory) {
    struct stat found {};
    return ::stat(config_in(directory).c_str(), &found) == 0 && !S_ISDIR(found.st_mode);
}

std::string user_config_path() {
    const char* base = std::getenv("XDG_CONFIG_HOME");
    std::string path = base && base[0] == '/' ? base : home_directory() + "/.config";
    return path.append("/").append(this_program.name).append("/").append(this_program.config_file);
}

std::optional<std::string> saved_root(const instance& of) {
    auto bytes = util::read_file(of.root_path(), limits::small_file_max, false);
    if (!bytes || bytes->empty() || bytes->front() != '/') return std::nullopt;
    if (bytes->back() == '\n') bytes->pop_back();
    return bytes;
}

// The roots of running daemons. A root that has lost its configuration file is found by its key.
class running_roots {
public:
    running_roots() {
        candidate_.state_root = find_state_root();
        candidate_.runtime_dir = find_runtime_dir();
    }

    bool contains(const std::string& directory) {
        candidate_.key = project_key(directory);
        return query_lock(candidate_.pid_path()).state == lock_state::held &&
               saved_root(candidate_) == directory;
    }

private:
    instance candidate_;
};

// The nearest directory upward that has a configuration file, or is the root of a running daemon whose file
// is gone.
std::optional<std::string> nearest_project(std::string directory) {
    std::optional<running_roots> running;  // most often the first directory has the file
    for (;;) {
        if (has_config(directory)) return directory;
        if (!running) running.emplace();
        if (running->contains(directory)) return directory;
        auto parent = parent_of(directory);
        if (!parent) return std::nullopt;
        directory = std::move(*parent);
    }
}

void set_project(instance& of, std::string root) {
    of.root = std::move(root);
    of.key = project_key(of.root);
    of.config_path = config_in(of.root);
    of.config_required = true;
}

// Without a name: the instance of the nearest project upward, else the user instance.
instance unnamed_instance(const std::optional<std::string>& directory) {
    instance found;
    if (auto root = nearest_project(starting_directory(directory))) {
        set_project(found, std::move(*root));
    } else {
        found.root = home_directory();
        found.key = user_key;
        found.config_path = user_config_path();
    }
    return found;
}

// From key and root: which configuration file is meant, and whether it must exist.
void set_config_of(instance& of) {
    if (of.key == user_key) {
        of.config_path = user_config_path();
    } else if (!of.root.empty()) {
        of.config_path = config_in(of.root);
        of.config_required = of.key == project_key(of.root);
    }
}

instance named_instance(const std::string& name, const std::optional<std::string>& directory) {
    instance found;
    found.key = name;
    found.state_root = find_state_root();
    if (auto root = saved_root(found)) {
        found.root = std::move(*root);
        set_config_of(found);
        return found;
    }
    instance by_directory = unnamed_instance(directory);
    by_directory.key = name;
    by_directory.config_required = false;
    return by_directory;
}

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value && *value;
}

// The instance that the environment names. In a process of a unit it is the unit's own, set by the daemon:
// there a directory of another project is about that project.
instance instance_of_environment(const char* key) {
    if (!valid_instance_key(key)) {
        throw failure(error_kind::usage, cannot(std::string("use ") + this_program.variables.instance, key),
                      "not a name");
    }
    instance found = named_instance(key, std::nullopt);
    if (!is_set(this_program.variables.unit) && !is_set(this_program.variables.run)) return found;
    try {
        auto here = nearest_project(starting_directory(std::nullopt));
        if (here && config_in(*here) != found.config_path) set_project(found, std::move(*here));
    } catch (const failure&) {  // a directory that cannot be found is no other project
    }
    return found;
}

}  // namespace

std::string instance::database_path() const { return state_dir() + "/" + this_program.database_file; }

bool valid_instance_name(const std::string& name) {
    if (name.empty() || name.size() > name_max || name == user_key) return false;
    if (name.front() == '.' || name.front() == '_' || name.front() == '-') return false;
    for (const char c : name) {
        if (!plain(c)) return false;
    }
    return true;
}

bool valid_instance_key(const std::string& key) {
    if (key == user_key) return true;
    const auto slug = key.find_first_not_of('_');
    return key.size() <= name_max && slug != std::string::npos &&
           valid_instance_name(slug == 0 ? key : "x" + key.substr(slug));
}

std::string project_key(const std::string& real_root) {
    return slug_of(real_root) + "-" + util::sha256_hex(real_root).substr(0, hash_digits);
}

instance resolve_instance(const instance_request& request) {
    instance found;
    const char* const variable = this_program.variables.instance;
    if (request.name) {
        if (!valid_instance_name(*request.name)) {
            throw failure(
                error_kind::usage, cannot("use", *request.name, "as an instance"), "not a name",
                "up to 64 letters, digits, '.', '_' and '-', the first a letter or digit, and not 'user'");
        }
        found = named_instance(*request.name, request.directory);
    } else if (request.directory) {
        found = unnamed_instance(request.directory);
    } else if (is_set(variable)) {
        found = instance_of_environment(std::getenv(variable));
    } else {
        found = unnamed_instance(std::nullopt);
    }
    found.runtime_dir = find_runtime_dir();
    if (found.state_root.empty()) found.state_root = find_state_root();
    return found;
}

instance handed_instance(const std::string& key, const std::string& root) {
    instance found;
    found.key = key;
    found.root = root;
    found.runtime_dir = find_runtime_dir();
    found.state_root = find_state_root();
    set_config_of(found);
    return found;
}

instance known_instance(const std::string& key) {
    instance found;
    found.key = key;
    found.state_root = find_state_root();
    return handed_instance(key, saved_root(found).value_or(""));
}

}  // namespace hob::lifecycle
