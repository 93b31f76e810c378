#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/help_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/help/key_text.hpp"
#include "error.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

// The verb or key that was probably meant; empty: none.
std::string topic_near(const std::string& word) {
    std::vector<std::string> topics;
    for (const command* verb : all_commands())
        topics.emplace_back(verb->name);
    const bool dotted = word.find('.') != std::string::npos;
    for (const auto& key : unit::all_keys()) {
        topics.emplace_back(key.name);
        for (unsigned table = unit::in_daemon; dotted && table <= unit::in_task; table <<= 1) {
            if ((key.tables & table) != 0) topics.push_back(unit::full_name(key, table));
        }
    }
    const std::vector<std::string_view> candidates(topics.begin(), topics.end());
    if (const auto near = util::nearest(word, candidates)) return std::string(*near);
    for (const unsigned table : {unit::in_worker, unit::in_service, unit::in_task}) {
        if (const auto key = unit::key_for_synonym(word, {table, {}}); !key.empty()) return std::string(key);
    }
    return {};
}

failure no_such_topic(const std::string& word) {
    const std::string near = topic_near(word);
    return {error_kind::usage, cannot("explain", word), "there is no such verb and no such key of hob.toml",
            near.empty() ? "all verbs: hob help; all keys: man hob.toml" : "did you mean '" + near + "'?"};
}

exit_code explain_verb(const command& verb, bool json) {
    if (json) {
        print(verb_json(verb) + "\n");
    } else {
        print(verb_text(verb, out_terminal()) + keys_beside_verb(verb.name, out_terminal()));
    }
    return exit_code::done;
}

exit_code run_help(invocation& call) {
    const bool json = call.global.json;
    if (call.operands.empty()) {
        print(json ? overview_json() + "\n" : overview_text(out_terminal()));
        return exit_code::done;
    }
    const std::string& topic = call.operands.front();
    if (const command* verb = find_command(topic)) return explain_verb(*verb, json);
    const auto keys = unit::keys_named(topic);
    if (keys.empty()) throw no_such_topic(topic);
    print(json ? keys_json(keys) + "\n" : keys_text(keys, out_terminal()));
    return exit_code::done;
}

}  // namespace

extern constinit const command help_command;
constinit const command help_command{
    .name = "help",
    .summary = "explain a verb or a key of hob.toml",
    .usage = "[VERB | KEY]",
    .description =
        "Prints what a verb does, its arguments and its options; or what a key of\n"
        "hob.toml means, its type and its default. A word that is both means the verb;\n"
        "TABLE.KEY, such as service.restart, always means the key. Without an argument:\n"
        "all verbs and the global options.",
    .need = daemon_need::none,
    .completes = operand_kind::topic,
    .operands_max = 1,
    .run = run_help,
};

}  // namespace hob::cmd
