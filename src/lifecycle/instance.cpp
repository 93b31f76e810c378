#include "lifecycle/instance.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

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

std::string link_target(int fd) {
    std::string target(PATH_MAX, '\0');
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
    if (n < 0) return {};
    target.resize(static_cast<std::size_t>(n));
    return target;
}

// The real path of the directory to begin in. A current directory that was deleted has none, but its parents
// can still be reached by "..".
std::string starting_directory(const std::optional<std::string>& directory) {
    if (directory) {
        const util::unique_fd fd = util::open_file(*directory, O_PATH | O_DIRECTORY);
        if (!fd) {
            throw failure(error_kind::usage, cannot("use", *directory, "as a directory"), errno_text(errno));
        }
        return link_target(fd.get());
    }
    std::string here(PATH_MAX, '\0');
    if (::getcwd(here.data(), here.size())) {
        here.resize(std::strlen(here.c_str()));
        if (here.starts_with('/')) return here;  // it is "(unreachable)/…" outside of our root directory
    } else if (errno == ENAMETOOLONG || errno == ERANGE) {
        // The path is too long. A parent would be another directory, with another daemon.
        throw failure(error_kind::denied, cannot("use the current directory"), errno_text(ENAMETOOLONG));
    }
    std::string up = "..";
    for (int level = 0; level < 64; ++level, up += "/..") {
        const util::unique_fd fd = util::open_file(up, O_PATH | O_DIRECTORY);
        if (!fd) break;
        std::string parent = link_target(fd.get());
        if (parent.starts_with('/') && !parent.ends_with(" (deleted)")) return parent;
    }
    throw failure(error_kind::denied, cannot("find the current directory"), "it was deleted",
                  "change to a directory that exists, or use -C DIR");
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
        if (directory == "/") return std::nullopt;
        const auto slash = directory.rfind('/');
        directory = slash == 0 ? "/" : directory.substr(0, slash);
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
        throw failure(error_kind::usage,
                      cannot(std::string("use ") + this_program.variables.instance, key), "not a name");
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
