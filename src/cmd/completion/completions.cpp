#include <unistd.h>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/completion/complete.hpp"
#include "cmd/completion/completion_scripts.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

std::vector<candidate> instance_words() {
    std::vector<candidate> words;
    for (auto& key : lifecycle::known_keys(lifecycle::find_runtime_dir(), lifecycle::find_state_root())) {
        if (!lifecycle::valid_instance_name(key)) continue;  // --instance does not take "user"
        words.push_back({key, lifecycle::known_instance(key).root});
    }
    return words;
}

// `kind`: "units" for all of them, "attachable", or the plural of a kind of unit.
std::vector<candidate> unit_words(std::string_view kind, const instance_choice& choice) {
    const auto instance = lifecycle::resolve_instance({.name = choice.name, .directory = choice.directory});
    std::vector<candidate> words;
    const bool all = kind == "units" || kind == "attachable";
    const auto names = kind == "attachable" ? unit::attachable_names(instance.config_path)
                                            : unit::unit_names(instance.config_path);
    for (const auto& [name, unit_kind] : names) {
        const std::string_view kind_name = unit::name_of(unit_kind);
        if (!all && kind != std::string(kind_name) + "s") continue;
        words.push_back({name, std::string(kind_name)});
    }
    if (kind == "units") {
        for (const auto& group : unit::group_names(instance.config_path))
            words.push_back({"@" + group, "group"});
    }
    return words;
}

// A description must stay on its line.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text)
        line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return line;
}

std::vector<candidate> words_of(std::string_view kind, const instance_choice& choice) {
    if (kind == "verbs") return verb_words();
    if (kind == "keys") return key_words();
    if (kind == "shells") return shell_words();
    std::vector<candidate> words;
    try {
        words = kind == "instances" ? instance_words() : unit_words(kind, choice);
    } catch (const std::exception&) {  // a message would disturb the line that is being typed
        return {};
    }
    for (auto& each : words)
        each.help = one_line(each.help);
    return words;
}

exit_code print_words(invocation& call, const std::string& kind) {
    completion found;
    if (kind == "line") {
        found = complete_line(call.command, words_of);
    } else {
        found.words = words_of(kind, {call.global.directory, call.global.instance});
    }
    if (!call.global.json) {
        print(completion_text(found));
        return exit_code::done;
    }
    util::json_array words;
    for (const auto& [word, help] : found.words)
        words.add(util::json_object().add("word", word).add("help", help));
    print(std::move(words).text() + "\n");
    return exit_code::done;
}

exit_code run_completions(invocation& call) {
    if (const auto kind = call.value("words")) return print_words(call, *kind);
    if (call.operands.empty()) {
        throw failure(error_kind::usage, cannot("print a completion script"), "no shell is named",
                      "bash, fish or zsh");
    }
    const std::string& shell = call.operands.front();
    std::string_view script;
    if (shell == "bash") script = bash_completion;
    if (shell == "fish") script = fish_completion;
    if (shell == "zsh") script = zsh_completion;
    if (script.empty()) {
        throw failure(error_kind::usage, cannot("complete for", shell), "not a shell that hob knows",
                      "bash, fish or zsh");
    }
    if (call.global.json) {
        print(std::move(util::json_object().add("shell", shell).add("script", script)).text() + "\n");
    } else {
        print(script);
    }
    return exit_code::done;
}

constexpr option_row options[] = {
    {"words", "KIND", "print the words of one kind: verbs, units, workers, keys, ...",
     "verbs units workers services tasks keys instances shells line"},
};

}  // namespace

extern constinit const command completions_command;
constinit const command completions_command{
    .name = "completions",
    .summary = "print the completion script of a shell",
    .usage = "bash | fish | zsh",
    .description =
        "Prints the script that completes hob in the named shell. For this shell alone:\n"
        "  bash:  eval \"$(hob completions bash)\"\n"
        "  zsh:   eval \"$(hob completions zsh)\"\n"
        "  fish:  hob completions fish | source",
    .need = daemon_need::looking,
    .completes = operand_kind::shell,
    .operands_max = 1,
    .options = options,
    .run = run_completions,
    .takes_command = true,
};

}  // namespace hob::cmd
