#pragma once
// What `hob up` shows: the lines of the units, and what happens to these.

#include <poll.h>

#include <string>
#include <string_view>

#include "cmd/core/log_text.hpp"
#include "cmd/core/unit_prefix.hpp"
#include "util/live_output.hpp"

namespace hob::cmd {

class up_screen {
public:
    up_screen(bool json, bool quiet);

    void add_unit(std::string_view unit) { prefix_.add(unit); }
    // A record of the unit's log.
    void show_record(const std::string& unit, std::string_view record);
    // An event of the daemon, about one of the units.
    void show_event(std::string_view payload);
    // A line of hob's own: on a terminal among the others, else on standard error.
    void say(std::string_view text);

    // Writes what can be written without waiting. Throws failure on a write error.
    void write();
    bool is_written() const { return queue_.empty() && notes_.empty(); }
    bool reader_gone() const { return gone_; }  // of standard output; what is shown then is dropped
    // For poll(2): each with POLLOUT when something waits to be written.
    pollfd output() const;
    pollfd error_output() const;

private:
    bool json_, quiet_;
    log_style style_;
    unit_prefix prefix_;
    util::live_output out_, err_;
    bool err_is_out_;  // one pipe, so that lines must not overtake each other
    std::string queue_;
    std::string notes_;  // for standard error
    bool gone_ = false;
};

}  // namespace hob::cmd
