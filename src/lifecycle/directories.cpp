#include "lifecycle/directories.hpp"

#include <dirent.h>
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

std::string passwd_home(uid_t uid) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/passwd", "re"), std::fclose);
    if (!file) return {};
    while (const passwd* entry = ::fgetpwent(file.get())) {
        if (entry->pw_uid == uid) return entry->pw_dir ? entry->pw_dir : "";
    }
    return {};
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

std::string home_directory() {
    const char* home = std::getenv("HOME");
    if (home && *home == '/' && is_directory(home)) return without_trailing_slashes(home);
    const std::string from_passwd = passwd_home(::geteuid());
    if (from_passwd.starts_with('/') && is_directory(from_passwd))
        return without_trailing_slashes(from_passwd);
    const std::string uid = std::to_string(::geteuid());
    if (!home) {
        throw failure(error_kind::config, cannot("find the home directory"),
                      "HOME is not set and user " + uid + " has no usable entry in /etc/passwd",
                      std::string("set HOME, or ") + this_program.variables.state_dir + " and --instance");
    }
    throw failure(error_kind::config, cannot("use HOME", home), "not a directory", "set HOME");
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
    if (const char* xdg = xdg_variable("XDG_RUNTIME_DIR"))
        return without_trailing_slashes(xdg) + "/" + this_program.name;
    return std::string("/tmp/") + this_program.name + "-" + uid;
}

std::string find_state_root() {
    if (const char* own = absolute_variable(this_program.variables.state_dir))
        return without_trailing_slashes(own);
    if (const char* xdg = xdg_variable("XDG_STATE_HOME"))
        return without_trailing_slashes(xdg) + "/" + this_program.name;
    return home_directory() + "/.local/state/" + this_program.name;
}

bool check_private_directory(const std::string& path, const char* what, privacy required) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return false;
        throw denied("use", path, errno);
    }
    const auto foreign = [&](std::string reason, std::string hint = {}) {
        return failure(error_kind::foreign, cannot(std::string("use ") + what, path), std::move(reason),
                       std::move(hint));
    };
    if (S_ISLNK(found.st_mode)) throw foreign("it is a symbolic link");
    if (!S_ISDIR(found.st_mode)) throw foreign("it is not a directory");
    if (found.st_uid != ::geteuid()) throw foreign("it belongs to user " + std::to_string(found.st_uid));
    if (found.st_mode & static_cast<unsigned>(required)) {
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", found.st_mode & 07777u);
        throw foreign(std::string("it is open to others (mode ") + mode + ")",
                      "chmod 700 '" + path + "', if you trust what is in it");
    }
    return true;
}

bool check_runtime_dir(const std::string& path, bool create) {
    if (check_private_directory(path, "the runtime directory", privacy::closed)) return true;
    if (!create) return false;
    const auto parent = path.substr(0, path.rfind('/'));
    if (!parent.empty() && !util::make_directories(parent)) throw denied("make", parent, errno);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw denied("make", path, errno);
    // Another user may have made it first: check it again. chmod, because the umask may have taken bits of
    // 0700.
    ::chmod(path.c_str(), 0700);
    return check_private_directory(path, "the runtime directory", privacy::closed);
}

void make_state_dir(const instance& where) {
    if (!check_private_directory(where.state_root, "the state directory", privacy::unwritable)) {
        if (!util::make_directories(where.state_root)) throw denied("make", where.state_root, errno);
        check_private_directory(where.state_root, "the state directory", privacy::unwritable);
    }
    for (const auto& directory : {where.state_dir(), where.log_dir()}) {
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw denied("make", directory, errno);
        check_private_directory(directory, "the state directory", privacy::unwritable);
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
