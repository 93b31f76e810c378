#pragma once
// The names of the program. The daemon's machinery (lifecycle, ipc, cmd/core) uses no others, so that another
// program can be built on it. Linked in from identity.cpp, beside version.cpp.

#include <span>
#include <string>
#include <string_view>

namespace hob {

struct identity {
    const char* name;             // what the user types, and what the process list shows
    std::string_view purpose;     // one line for the help
    const char* config_file;      // the nearest directory upward that has one is the project
    const char* database_file;    // in the state directory of an instance
    std::string_view page_magic;  // the 8 bytes that a status page begins with

    struct {
        const char* instance;
        const char* runtime_dir;
        const char* state_dir;
        const char* start_timeout;
        const char* log_levels;
        const char* remote_shell;  // instead of ssh
        const char* unit;          // this and `run` are set in the processes of units
        const char* run;
        const char* keeper;  // a keeper tells the next daemon by it which descriptor they talk over
    } variables;
    // Variables that a daemon drops: those that tell a process which daemon it belongs to, and TZ, because
    // schedules use the zone of the machine. Units get the caller's.
    std::span<const char* const> not_inherited;

    // Methods and notifications that every daemon of this program has, as they stand on the wire.
    struct {
        std::string_view hello;
        std::string_view ping;
        std::string_view status;
        std::string_view subscribe;
        std::string_view shutdown;
        std::string_view event;
        std::string_view lagged;
        std::string_view farewell;
    } methods;
};

extern const identity this_program;

// "hob shutdown --now" for "shutdown --now": a command for the user to type.
std::string command_text(std::string_view arguments);

}  // namespace hob
