#pragma once
// Control groups of units (cgroup v2), where the host lets this user make some: one below the daemon's own
// for each process with kill "all", so that nothing which that process starts can leave it unseen. Anything
// that is in the way means that there is none; marks, sessions and descent hold alone then.
//
//   <own cgroup>/hob-<instance key>/<unit>     a second one of the same unit: <unit>+2, and so on

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::unit {

// The directory of the cgroup that /proc/self/cgroup (`membership`) names, by the mounts of
// /proc/self/mountinfo. Empty: no cgroup2 is mounted, or that place is not below the mount.
std::string cgroup_directory(std::string_view mountinfo, std::string_view membership);

// Who lives in `cgroup` and below; zombies do not count. 0: somebody outside this pid namespace.
std::vector<pid_t> cgroup_members(const std::string& cgroup);
bool cgroup_populated(const std::string& cgroup);  // false also when it is gone
bool says_populated(int events);  // a cgroup.events that is open; what changes after this is told by poll(2)
// SIGKILL to all of it and below, in one step that nothing forks past. False: not possible (Linux 5.14).
bool kill_cgroup(const std::string& cgroup);
// Blocks. False: not unpopulated within the limit.
bool wait_unpopulated(const std::string& cgroup, util::deadline limit);
// With what its processes made in it. False: somebody lives there, or it cannot be removed. Gone is success.
bool remove_cgroup(const std::string& cgroup);

// A daemon that was started from one of its own predecessor's units goes where that lived.
void leave_unit_cgroup(const std::string& instance_key);
// Directories of this instance, of this daemon or an earlier one, that exist: those that `state_dir` notes,
// and the one where this daemon would make its own.
std::vector<std::string> instance_cgroups(const std::string& instance_key, const std::string& state_dir);
std::vector<std::string> unit_cgroups(const std::string& instance_cgroup);
std::string unit_of_cgroup(const std::string& cgroup);
// Removes what is empty of them, and the note of those that are gone.
void remove_empty_cgroups(const std::string& instance_key, const std::string& state_dir);

class cgroup_home;

// One unit process's. Removed by remove() or the destructor, when nobody lives in it any more.
class unit_cgroup {
public:
    unit_cgroup() = default;  // none
    unit_cgroup(cgroup_home& home, std::string path, util::unique_fd directory);
    unit_cgroup(unit_cgroup&& other) noexcept;
    unit_cgroup& operator=(unit_cgroup&&) = delete;
    ~unit_cgroup();

    const std::string& path() const { return path_; }   // empty: none
    int directory() const { return directory_.get(); }  // -1: none
    void started() { directory_.reset(); }              // it is joined only once
    void remove();                                      // and be none

private:
    cgroup_home* home_ = nullptr;
    std::string path_;
    util::unique_fd directory_;
};

// Where the units of one daemon have theirs. Looks at nothing before the first make().
class cgroup_home {
public:
    // With HOB_CGROUP=off in this process's environment there are none.
    cgroup_home(std::string instance_key, std::string state_dir);
    ~cgroup_home();
    cgroup_home(const cgroup_home&) = delete;
    cgroup_home& operator=(const cgroup_home&) = delete;

    unit_cgroup make(const std::string& unit);
    void remove_empty();

private:
    friend class unit_cgroup;
    bool settle();

    const std::string instance_key_;
    const std::string state_dir_;
    bool wanted_;
    std::string path_;              // of the instance; empty: not made yet
    std::set<std::string> in_use_;  // even when nobody lives in one yet, or any more
};

}  // namespace hob::unit
