#pragma once
// Which daemon is meant, and where its files are (man page hob(1), FILES).

#include <optional>
#include <string>
#include <vector>

namespace hob::lifecycle {

struct instance {
    std::string key;          // names all files: slug-hash, "user", or the name given
    std::string root;         // absolute, real; any bytes but NUL
    std::string config_path;  // may be absent for a user instance or a named one
    std::string runtime_dir;  // absolute, without a trailing slash; may not exist yet
    std::string state_root;
    bool config_required = false;  // a project instance: its configuration file was found

    std::string socket_path() const { return runtime_dir + "/" + key + ".sock"; }
    std::string pid_path() const { return runtime_dir + "/" + key + ".pid"; }
    std::string page_path() const { return runtime_dir + "/" + key + ".page"; }
    std::string state_dir() const { return state_root + "/" + key; }
    std::string root_path() const { return state_dir() + "/root"; }
    std::string start_failure_path() const { return state_dir() + "/last-words"; }
    std::string holder_path() const { return state_dir() + "/holder"; }  // pid and socket of the daemon
    std::string database_path() const;
    std::string daemon_log_path() const { return state_dir() + "/daemon.log"; }
    std::string log_dir() const { return state_dir() + "/log"; }
    std::string unit_log_path(const std::string& unit) const { return log_dir() + "/" + unit + ".log"; }
};

struct instance_request {
    std::optional<std::string> name;       // --instance
    std::optional<std::string> directory;  // -C
};

// Resolves by the five rules, from the options, the environment and the current directory. Creates nothing.
// Throws failure: usage (a bad name or directory), config (an unusable environment variable), denied.
instance resolve_instance(const instance_request& request);

// The directories that all instances of this user share.
std::string find_runtime_dir();
std::string find_state_root();

// Keys of all instances that have a pid file or a state directory, sorted.
std::vector<std::string> known_keys(const std::string& runtime_dir, const std::string& state_root);
// The instance of a known key. Its root is read from <state>/<key>/root; empty if that file does not exist.
instance known_instance(const std::string& key);

// For a spawned daemon: the instance that its client has resolved.
instance handed_instance(const std::string& key, const std::string& root);

// "slug-0123456789ab" for a real path.
std::string project_key(const std::string& real_root);
bool valid_instance_name(const std::string& name);
// Names, and the keys that --instance does not accept: "user", and those of projects whose slug begins with
// '_'.
bool valid_instance_key(const std::string& key);

// Throws failure(foreign) unless the runtime directory is a directory of this user with mode 0700, and no
// symbolic link. `create`: it is made if it does not exist. False: it does not exist.
bool check_runtime_dir(const std::string& path, bool create);
// Makes <state>/<key>/ and checks that it belongs to this user and is private. Throws failure.
void make_state_dir(const instance& where);

}  // namespace hob::lifecycle
