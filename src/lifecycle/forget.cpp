#include "lifecycle/forget.hpp"

#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/pid_lock.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::lifecycle {
namespace {

bool is_missing(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

// Without a root the key alone is known: then nothing is left but files in the runtime directory.
bool is_deleted(const instance& where) {
    return where.root.empty() ? is_missing(where.state_dir()) : is_missing(where.root);
}

// Processes of a unit may outlive their daemon: their records are still needed.
bool has_process(const std::string& key, const std::vector<util::proc_stat>& processes) {
    return std::any_of(processes.begin(), processes.end(), [&](const util::proc_stat& process) {
        return util::proc_environment_value(process.pid, this_program.variables.instance) == key;
    });
}

int remove_entry(const char* path, const struct stat*, int, FTW*) { return std::remove(path); }

void remove_tree(const std::string& path) {
    constexpr int descriptors = 16;
    if (::nftw(path.c_str(), remove_entry, descriptors, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
        errno != ENOENT)
        throw denied("remove", path, errno);
}

// nftw() takes no argument for its function.
std::uint64_t counted_bytes = 0;

int count_entry(const char*, const struct stat* found, int, FTW*) {
    counted_bytes += static_cast<std::uint64_t>(found->st_blocks) * 512;
    return 0;
}

std::uint64_t tree_size(const std::string& path) {
    constexpr int descriptors = 16;
    counted_bytes = 0;
    ::nftw(path.c_str(), count_entry, descriptors, FTW_PHYS | FTW_MOUNT);
    return counted_bytes;
}

}  // namespace

std::vector<instance> deleted_instances() {
    const std::string runtime_dir = find_runtime_dir();
    std::vector<instance> deleted;
    for (const auto& key : known_keys(runtime_dir, find_state_root())) {
        instance where = known_instance(key);
        const bool unused = query_lock(where.pid_path()).state == lock_state::free;
        if (unused && is_deleted(where)) deleted.push_back(std::move(where));
    }
    if (deleted.empty()) return deleted;
    const auto processes = util::all_processes();
    std::erase_if(deleted, [&](const instance& where) { return has_process(where.key, processes); });
    return deleted;
}

std::uint64_t state_size(const instance& where) { return tree_size(where.state_dir()); }

bool forget_instance(const instance& where) {
    std::optional<instance_lock> lock;
    if (check_runtime_dir(where.runtime_dir, false)) {
        lock = instance_lock::try_take(where.pid_path());
        if (!lock) return false;
    }
    // A daemon under another runtime directory holds this lock.
    const util::unique_fd state = util::open_file(where.state_dir(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (state && ::flock(state.get(), LOCK_EX | LOCK_NB) != 0) return false;
    if (!is_deleted(where)) return false;
    remove_tree(where.state_dir());
    if (lock) {
        for (const auto& path : {where.socket_path(), where.page_path(), where.pid_path()})
            lock->unlink_guarded(where.pid_path(), path);
    }
    return true;
}

}  // namespace hob::lifecycle
