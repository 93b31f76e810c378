#include "lifecycle/directories.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/instance.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {
namespace {

bool is_directory(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

std::string without_trailing_slashes(std::string path) {
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

// The value of a variable that names a directory: absolute, or an error; nullptr when unset or empty.
const char* absolute_variable(const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value) return nullptr;
    if (*value != '/') {
        throw failure(error_kind::config, cannot(std::string("use ") + name, value), "not an absolute path");
    }
    return value;
}

// A relative XDG variable is to be ignored (XDG Base Directory Specification).
const char* xdg_variable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value == '/' ? value : nullptr;
}

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value && *value;
}

// Owner of `path`, or of the nearest directory above it that can be looked at.
std::optional<uid_t> owner_of(std::string path) {
    struct stat found {};
    while (::stat(path.c_str(), &found) != 0) {
        const auto slash = path.rfind('/');
        if (slash == std::string::npos || path.size() == 1) return std::nullopt;
        path.resize(std::max<std::size_t>(slash, 1));
    }
    return found.st_uid;
}

// What `path` is in, or becomes part of, belongs to another user than this one and root.
bool is_anothers(const std::string& path) {
    const auto owner = owner_of(path);
    return owner && *owner != ::geteuid() && *owner != 0;
}

bool directories_given() {
    return is_set(this_program.variables.runtime_dir) && is_set(this_program.variables.state_dir);
}

std::string name_both_directories() {
    return std::string(this_program.variables.state_dir) + " and " + this_program.variables.runtime_dir;
}

// Files of this user in another user's home would be in that user's way, as after `sudo -E`.
void refuse_anothers_home(const std::string& home) {
    struct stat found {};
    if (directories_given() || ::stat(home.c_str(), &found) != 0 || found.st_uid == ::geteuid()) return;
    throw failure(error_kind::foreign, cannot("use HOME", home),
                  "it belongs to user " + std::to_string(found.st_uid),
                  "set HOME to the home of user " + std::to_string(::geteuid()) + ", or set " +
                      name_both_directories());
}

std::string passwd_home(uid_t uid) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/passwd", "re"), std::fclose);
    if (!file) return {};
    while (const passwd* entry = ::fgetpwent(file.get())) {
        if (entry->pw_uid == uid) return entry->pw_dir ? entry->pw_dir : "";
    }
    return {};
}

struct directory_rules {
    const char* name;
    const char* variable;     // that names another one
    unsigned forbidden_mode;  // what others must not have
};

directory_rules rules_of(directory_kind kind) {
    if (kind == directory_kind::runtime)
        return {"the runtime directory", this_program.variables.runtime_dir, 077};
    return {"the state directory", this_program.variables.state_dir, 022};
}

// From errno.
failure unusable(const char* verb, const std::string& path, directory_kind kind) {
    return failure(error_kind::denied, cannot(verb, path), errno_text(errno), way_out(kind));
}

void check_found(const struct stat& found, const std::string& path, directory_kind kind) {
    const directory_rules rules = rules_of(kind);
    const auto foreign = [&](std::string reason, std::string hint = {}) {
        return failure(error_kind::foreign, cannot(std::string("use ") + rules.name, path), std::move(reason),
                       std::move(hint));
    };
    if (S_ISLNK(found.st_mode)) throw foreign("it is a symbolic link");
    if (!S_ISDIR(found.st_mode)) throw foreign("it is not a directory");
    if (found.st_uid != ::geteuid())
        throw foreign("it belongs to user " + std::to_string(found.st_uid), way_out(kind));
    if (found.st_mode & rules.forbidden_mode) {
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", found.st_mode & 07777u);
        throw foreign(std::string("it is open to others (mode ") + mode + ")",
                      "chmod 700 '" + path + "', if you trust what is in it");
    }
}

void collect(const std::string& directory, const std::string& suffix, std::vector<std::string>& keys) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return;
    while (const dirent* entry = ::readdir(dir.get())) {
        std::string name = entry->d_name;
        if (!name.ends_with(suffix)) continue;
        name.resize(name.size() - suffix.size());
        if (valid_instance_key(name)) keys.push_back(std::move(name));
    }
}

}  // namespace

std::string way_out(directory_kind kind) {
    const std::string variable = rules_of(kind).variable;
    const std::string hint = "set " + variable + " to a directory of your own";
    return is_set(variable.c_str()) ? hint + ", or unset it" : hint;
}

std::string home_directory() {
    const char* home = std::getenv("HOME");
    if (home && *home == '/' && is_directory(home)) {
        refuse_anothers_home(home);
        return without_trailing_slashes(home);
    }
    const std::string from_passwd = passwd_home(::geteuid());
    if (from_passwd.starts_with('/') && is_directory(from_passwd))
        return without_trailing_slashes(from_passwd);
    const std::string uid = std::to_string(::geteuid());
    if (!home) {
        throw failure(error_kind::config, cannot("find the home directory"),
                      "HOME is not set and user " + uid + " has no usable entry in /etc/passwd",
                      std::string("set HOME, or ") + this_program.variables.state_dir + " and --instance");
    }
    throw failure(error_kind::config, cannot("use HOME", home), "not a directory",
                  "set HOME, or set " + name_both_directories());
}

std::string find_runtime_dir() {
    if (const char* own = absolute_variable(this_program.variables.runtime_dir))
        return without_trailing_slashes(own);
    const std::string uid = std::to_string(::geteuid());
    const std::string login = "/run/user/" + uid;
    struct stat found {};
    if (::stat(login.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid()) {
        return login + "/" + this_program.name;
    }
    // One of another user is inherited, as through `su`.
    const char* xdg = xdg_variable("XDG_RUNTIME_DIR");
    const bool exists = xdg && ::stat(xdg, &found) == 0;
    if (xdg && !is_anothers(xdg) && (!exists || found.st_uid == ::geteuid()))
        return without_trailing_slashes(xdg) + "/" + this_program.name;
    return std::string("/tmp/") + this_program.name + "-" + uid;
}

std::string find_state_root() {
    const char* own = absolute_variable(this_program.variables.state_dir);
    if (own && is_set(this_program.variables.runtime_dir)) return without_trailing_slashes(own);
    const char* const home = std::getenv("HOME");
    if (home && *home == '/') refuse_anothers_home(home);
    if (own) return without_trailing_slashes(own);
    if (const char* xdg = xdg_variable("XDG_STATE_HOME")) {
        if (is_anothers(xdg)) {
            throw failure(error_kind::foreign, cannot("use XDG_STATE_HOME", xdg),
                          "it belongs to user " + std::to_string(*owner_of(xdg)),
                          "unset it, or set " + name_both_directories());
        }
        return without_trailing_slashes(xdg) + "/" + this_program.name;
    }
    return home_directory() + "/.local/state/" + this_program.name;
}

bool check_private_directory(const std::string& path, directory_kind kind) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return false;
        throw unusable("use", path, kind);
    }
    check_found(found, path, kind);
    return true;
}

bool check_runtime_dir(const std::string& path, bool create) {
    constexpr auto kind = directory_kind::runtime;
    if (check_private_directory(path, kind)) return true;
    if (!create) return false;
    const auto parent = path.substr(0, path.rfind('/'));
    if (!parent.empty() && !util::make_directories(parent)) throw unusable("make", parent, kind);
    // The umask could take bits of 0700.
    const mode_t umask_of_caller = ::umask(077);
    const bool made = ::mkdir(path.c_str(), 0700) == 0;
    const int error = errno;
    ::umask(umask_of_caller);
    errno = error;
    if (!made && errno != EEXIST) throw unusable("make", path, kind);
    // Another user may have put something else in its place: from here on only what is opened counts.
    const util::unique_fd directory = util::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat found {};
    if (!directory || ::fstat(directory.get(), &found) != 0) return check_private_directory(path, kind);
    // A default ACL of the parent may have added bits.
    if (made && found.st_uid == ::geteuid() && ::fchmod(directory.get(), 0700) == 0)
        ::fstat(directory.get(), &found);
    check_found(found, path, kind);
    return true;
}

void make_state_dir(const instance& where) {
    constexpr auto kind = directory_kind::state;
    if (!check_private_directory(where.state_root, kind)) {
        if (!util::make_directories(where.state_root)) throw unusable("make", where.state_root, kind);
        check_private_directory(where.state_root, kind);
    }
    for (const auto& directory : {where.state_dir(), where.log_dir()}) {
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw unusable("make", directory, kind);
        check_private_directory(directory, kind);
    }
}

std::vector<std::string> known_keys(const std::string& runtime_dir, const std::string& state_root) {
    std::vector<std::string> keys;
    collect(runtime_dir, ".pid", keys);
    collect(state_root, "", keys);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

}  // namespace hob::lifecycle
