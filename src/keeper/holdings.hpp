#pragma once
// What a keeper holds for its daemons, by key: descriptors, a process, a note.

#include <sys/types.h>

#include <memory>
#include <string_view>
#include <vector>

#include "keeper/holding.hpp"
#include "keeper/message.hpp"

namespace hob::keeper {

// Which program a daemon is, where that is not the keeper's own. It is held as `program_key`: the path as the
// note, and these two descriptors.
struct daemon_program {
    std::string_view path{};  // empty: as the keeper
    int executable = -1;
    int environment = -1;  // a file: K=V, each with a NUL
};

class holdings {
public:
    // Replaces process, roles and descriptors of the key; its note stays.
    holding& hold(received from);
    void note(std::string_view key, std::string_view text) { entry(key).set_note(text); }
    void close(std::string_view key, std::string_view roles);
    // The process, if it has ended, is reaped.
    void drop(std::string_view key);
    void clear();

    // The process has ended. One that is not a child of this process counts as ended with status 0.
    void note_end(holding& held);
    exit_report exit_of(const holding& held) const;  // code 0: it has not ended
    // Record the ends of those without a pidfd, or of all.
    void look_at_processes();
    void look_at_all();
    void allow_reaping(pid_t pid);
    // Reaps the children of this process that nobody holds, but not `spared`.
    void reap_others(pid_t spared);

    // The entry; nullptr: there is none.
    const holding* of_process(pid_t pid) const;
    holding* of_process(pid_t pid);
    // The one that comes after `key` in order. Empty: the first one.
    const holding* after(std::string_view key) const;
    daemon_program program(std::string_view program_key) const;
    // Calls `each(holding)` for every process that has not ended.
    template <typename Each>
    void for_each_living(const Each& each) {
        for (const auto& held : by_key_) {
            if (held->lives()) each(*held);
        }
    }
    // The processes whose ends were recorded, the latest last. The caller empties it.
    std::vector<pid_t>& ended() { return ended_; }

private:
    holding& entry(std::string_view key);  // a new one, unless there is one
    void add_process(holding& held, pid_t pid);
    void forget_process(holding& held);
    void unlist_process(const holding& held);
    void look_at(holding& held);

    std::vector<std::unique_ptr<holding>> by_key_;  // in order
    std::vector<holding*> by_pid_;                  // in order; those whose processes are not reaped
    std::vector<pid_t> ended_;
};

}  // namespace hob::keeper
