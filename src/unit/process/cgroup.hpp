#pragma once
// Control groups of units (cgroup v2), where the host lets this user create them: one below the daemon's own
// for each process with kill = "all" or "mixed", so that nothing it starts can leave the unit, and for each
// process of a unit with limits. Where one cannot be created, for whatever reason, only marks, sessions and
// descent tell which processes belong to a unit.
//
//   <own cgroup>/hob-<instance key>/<unit>     the second one of the same unit: <unit>+2, and so on
//   <own cgroup>/hob-<instance key>/+daemon    the daemon itself, where units have limits: see
//                                              unit/process/cgroup_controllers.hpp

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/process/cgroup_controllers.hpp"
#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::unit {

// The directory of the cgroup that /proc/self/cgroup (`membership`) names, found by the mounts of
// /proc/self/mountinfo. Empty: no cgroup2 is mounted, or the cgroup is not below the mount.
std::string cgroup_directory(std::string_view mountinfo, std::string_view membership);

// The processes in `cgroup` and below, without zombies. 0: a process outside this pid namespace.
std::vector<pid_t> cgroup_members(const std::string& cgroup);
bool cgroup_populated(const std::string& cgroup);  // false also when it is gone
// `events`: an open cgroup.events. poll(2) then reports later changes.
bool is_populated(int events);
// SIGKILL to all processes in it and below, in one step that no fork escapes. False: not possible (needs
// Linux 5.14).
bool kill_cgroup(const std::string& cgroup);
// Blocks. False: not unpopulated within the limit.
bool wait_unpopulated(const std::string& cgroup, util::deadline limit);
// Removes it with the cgroups inside it. True if it does not exist. False: a process lives there, or it
// cannot be removed.
bool remove_cgroup(const std::string& cgroup);

// Moves a daemon that was started inside a unit of its predecessor, and its keeper, to the predecessor's own
// cgroup.
void leave_unit_cgroup(const std::string& instance_key);
// The existing directories of this instance, of this daemon or an earlier one: those listed in `state_dir`,
// and the one that this daemon would create.
std::vector<std::string> instance_cgroups(const std::string& instance_key, const std::string& state_dir);
std::vector<std::string> unit_cgroups(const std::string& instance_cgroup);
std::string unit_of_cgroup(const std::string& cgroup);
std::string name_of_cgroup(const std::string& cgroup);  // the last component
// The cgroup that a daemon has made for this process; empty: it is in none.
std::string cgroup_of_unit_process(pid_t pid);
// Removes the empty ones, and drops those that are gone from the list in `state_dir`.
void remove_empty_cgroups(const std::string& instance_key, const std::string& state_dir);

class cgroup_home;

// The cgroup of one process of a unit. remove() and the destructor remove it if no process lives in it any
// more.
class unit_cgroup {
public:
    unit_cgroup() = default;  // none
    unit_cgroup(cgroup_home& home, std::string path, util::unique_fd directory, controllers limited);
    unit_cgroup(unit_cgroup&& other) noexcept;
    unit_cgroup& operator=(unit_cgroup&&) = delete;
    ~unit_cgroup();

    const std::string& path() const { return path_; }   // empty: none
    int directory() const { return directory_.get(); }  // -1: none
    controllers limited() const { return limited_; }    // what the kernel limits as the unit's keys say
    void started() { directory_.reset(); }              // the process is in it
    void remove();                                      // path() is empty afterwards

private:
    cgroup_home* home_ = nullptr;
    std::string path_;
    util::unique_fd directory_;
    controllers limited_{};
};

// The directory for the cgroups of one daemon's units. Does nothing before the first make().
class cgroup_home {
public:
    // HOB_CGROUP=off in this process's environment disables them.
    cgroup_home(std::string instance_key, std::string state_dir);
    ~cgroup_home();
    cgroup_home(const cgroup_home&) = delete;
    cgroup_home& operator=(const cgroup_home&) = delete;

    unit_cgroup make(const std::string& unit, const resource_spec& resources);
    // One that a daemon before this one has made. `path` may be a name below that daemon's directory. None, if
    // it is empty or the cgroup is gone.
    unit_cgroup adopt(std::string path, const resource_spec& resources);
    void remove_empty();

private:
    friend class unit_cgroup;
    bool ensure_directory();  // false: there can be none
    std::string find(const std::string& name) const;  // empty: there is none
    // Enables the controllers that these need, as far as the host permits, and limits the cgroup.
    controllers limit(const std::string& cgroup, const resource_spec& resources);

    const std::string instance_key_;
    const std::string state_dir_;
    bool enabled_;
    controllers refused_{};         // by the host; not tried again
    std::string path_;              // of the instance; empty: not created yet
    std::set<std::string> in_use_;  // by a unit_cgroup, even if no process lives in it
};

}  // namespace hob::unit
