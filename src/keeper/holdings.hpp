#pragma once
// What a keeper holds for its daemons, by key: descriptors, a process, a note.

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keeper/message.hpp"
#include "util/fd.hpp"

namespace hob::keeper {

struct holding {
    pid_t pid = 0;  // a child of the keeper; 0: none
    util::unique_fd process{};  // its pidfd; empty: the kernel has none
    exit_report exit{};
    bool may_reap = false;
    bool reaped = false;
    std::string roles{};
    std::vector<util::unique_fd> descriptors{};
    std::string note{};
};

class holdings {
public:
    // Replaces process, roles and descriptors of the key; its note stays.
    holding& hold(const std::string& key, received from);
    void note(const std::string& key, std::string text) { by_key_[key].note = std::move(text); }
    void close(const std::string& key, std::string_view roles);
    // The process, if it has ended, is reaped.
    void drop(const std::string& key);
    void clear();

    // The process has ended. One that is not a child of this process counts as ended with status 0.
    void note_end(holding& held);
    // Record the ends of those without a pidfd, or of all.
    void look_at_processes();
    void look_at_all();
    void allow_reaping(pid_t pid);
    // Reaps the children of this process that nobody holds, but not `spared`.
    void reap_others(pid_t spared);

    bool holds(pid_t pid) const { return key_of_.contains(pid); }
    holding* find(const std::string& key);
    holding* of_process(pid_t pid);
    // The key that comes after `key` in order; nullopt: none. Empty: the first one.
    const std::string* key_after(const std::string& key) const;
    // Calls `each(holding)` for every process that has not ended.
    template <typename Each>
    void for_each_living(const Each& each) {
        for (auto& [key, held] : by_key_) {
            if (held.pid > 0 && held.exit.code == 0) each(held);
        }
    }
    // The processes whose ends were recorded, the latest last. The caller empties it.
    std::vector<pid_t>& ended() { return ended_; }

private:
    void forget_process(holding& held);
    void read_exit_of(holding& held);

    std::map<std::string, holding> by_key_;
    std::map<pid_t, std::string> key_of_;
    std::vector<pid_t> ended_;
};

}  // namespace hob::keeper
