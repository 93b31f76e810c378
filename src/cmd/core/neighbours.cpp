#include "cmd/core/neighbours.hpp"

#include "cmd/core/command.hpp"

namespace hob::cmd {
namespace {

struct neighbour {
    std::string_view word;
    std::string_view arguments;  // the first one is a verb, or an option
};

constexpr neighbour neighbours[] = {
    {"config", "check"},
    {"deactivate", "stop"},
    {"exec", "run -- CMD"},
    {"exit", "shutdown"},
    {"history", "runs"},
    {"info", "status"},
    {"instances", "list"},
    {"invoke", "call"},
    {"journal", "logs"},
    {"kill", "stop"},
    {"launch", "start"},
    {"lint", "check"},
    {"ls", "list"},
    {"monitor", "status --watch"},
    {"new", "init"},
    {"ps", "status"},
    {"quit", "shutdown"},
    {"req", "call"},
    {"request", "call"},
    {"serve", "daemon"},
    {"show", "status"},
    {"spawn", "run -- CMD"},
    {"start-server", "daemon"},
    {"startup", "enable"},
    {"stop-server", "shutdown"},
    {"kill-server", "shutdown"},
    {"tail", "logs -f"},
    {"top", "status --watch"},
    {"unstartup", "disable"},
    {"validate", "check"},
    {"version", "--version"},
};

}  // namespace

std::string_view command_for_foreign_word(std::string_view word) {
    for (const auto& row : neighbours) {
        if (row.word != word) continue;
        const std::string_view verb = row.arguments.substr(0, row.arguments.find(' '));
        return verb.starts_with('-') || find_command(verb) != nullptr ? row.arguments : std::string_view();
    }
    return {};
}

}  // namespace hob::cmd
