#pragma once
// Tells what the processes of a unit do about their standard input. A program that waits for input has
// written everything that it says about earlier input, so what it writes later belongs to what it reads next.

#include <sys/types.h>

#include <string>
#include <vector>

#include "util/fd.hpp"

namespace hob::unit {

class input_watch {
public:
    enum class sight {
        waits,  // a thread reads it, or waits for several things while none computes
        computes,
        sleeps,   // none reads
        unknown,  // the kernel does not say
    };

    // `input`: an end of the pipe that the processes read; used only during this call.
    explicit input_watch(int input);

    // Of `root` and its descendants. Looks into /proc.
    sight look(pid_t root);
    // Whether the thread that look() saw read the input reads it again, or still. Cheaper than look().
    bool reads() { return opened_ != 0 && reader_activity() == activity::reads; }
    // Whether one thread reads the input, and all others only wait for the end of child processes: nothing
    // is written until more is read.
    bool only_reads(pid_t root);

private:
    enum class activity { reads, polls, waits_for_children, runs, sleeps, hidden };
    activity thread(pid_t process, const std::string& directory) const;
    activity meaning_of(pid_t process, const std::string& text) const;
    bool is_input(pid_t process, unsigned long descriptor) const;
    activity reader_activity();
    std::vector<activity> all_threads(pid_t root);

    ino_t input_ = 0;
    pid_t reader_ = 0;  // the process that was seen to read last
    // Of the main thread of this process: its open /proc/PID/syscall, and what that said when it read the
    // input. Each call looks there, so nothing is opened or looked up again.
    pid_t opened_ = 0;
    util::unique_fd syscall_;
    std::string reading_;
};

}  // namespace hob::unit
