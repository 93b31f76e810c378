#pragma once
// A terminal, as a person has it, with a program on it.

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/sandbox.hpp"
#include "util/fd.hpp"

namespace hob::test {

class terminal_program {
public:
    // hob with these words, in the project.
    terminal_program(sandbox& box, const std::vector<std::string>& words, unsigned short rows = 30,
                     unsigned short columns = 100);
    ~terminal_program();  // kills and reaps it
    terminal_program(const terminal_program&) = delete;
    terminal_program& operator=(const terminal_program&) = delete;

    // Reads up to `text`, and returns all that came since the last call. Throws when it is late.
    std::string until(std::string_view text, milliseconds limit = 20s);
    void type(std::string_view keys);
    void resize(unsigned short rows, unsigned short columns);
    void signal(int number);
    void close();  // the terminal goes away
    // Its status, as a shell has it; throws when it is late.
    int wait(milliseconds limit = 20s);
    const std::string& shown() const { return shown_; }  // and not returned by until()
    // The terminal has the mode that it had before.
    bool restored() const;
    // The mode that a shell sets when the program is stopped.
    void restore() const;
    pid_t pid() const { return pid_; }

private:
    void read_for(milliseconds limit);

    util::unique_fd master_, slave_;
    termios before_{};
    pid_t pid_ = 0;
    int status_ = -1;
    std::string shown_;
};

}  // namespace hob::test
