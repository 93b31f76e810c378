#include <fmt/format.h>

#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/help_text.hpp"
#include "cmd/core/output.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

failure no_such_verb(const std::string& word) {
    std::vector<std::string_view> names;
    for (const command* verb : all_commands())
        names.push_back(verb->name);
    const auto meant = util::nearest(word, names);
    return failure(error_kind::usage, fmt::format("cannot explain '{}': there is no such verb", word),
                   meant ? fmt::format("did you mean '{}'?", *meant) : "all verbs: hob help");
}

exit_code run_help(invocation& call) {
    if (call.operands.empty()) {
        print(call.global.json ? overview_json() + "\n" : overview_text(out_terminal()));
        return exit_code::done;
    }
    const command* verb = find_command(call.operands.front());
    if (!verb) throw no_such_verb(call.operands.front());
    print(call.global.json ? verb_json(*verb) + "\n" : verb_text(*verb, out_terminal()));
    return exit_code::done;
}

}  // namespace

extern constinit const command help_command;
constinit const command help_command{
    .name = "help",
    .summary = "explain a verb",
    .usage = "[VERB]",
    .description =
        "Prints what a verb does, its arguments and its options; without a verb, all\n"
        "verbs and the global options.",
    .need = daemon_need::none,
    .completes = operand_kind::verb,
    .operands_max = 1,
    .run = run_help,
};

}  // namespace hob::cmd
