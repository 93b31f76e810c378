#include <fmt/format.h>
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
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

std::vector<candidate> instance_words() {
    std::vector<candidate> words;
    for (auto& key : lifecycle::known_keys(lifecycle::find_runtime_dir(), lifecycle::find_state_root())) {
        if (!lifecycle::valid_instance_name(key)) continue;  // --instance takes no "user"
        words.push_back({key, lifecycle::known_instance(key).root});
    }
    return words;
}

// "units" are all of them; any other kind ends in an "s" that the kind's own name has not.
std::vector<candidate> unit_words(std::string_view kind, const place& where) {
    const auto instance = lifecycle::resolve_instance({.name = where.instance, .directory = where.directory});
    std::vector<candidate> words;
    for (auto& [name, unit_kind] : unit::unit_names(instance.config_path)) {
        const std::string_view kind_name = unit::name_of(unit_kind);
        if (kind != "units" && kind != std::string(kind_name) + "s") continue;
        words.push_back({std::move(name), std::string(kind_name)});
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

std::vector<candidate> words_of(std::string_view kind, const place& where) {
    if (kind == "verbs") return verb_words();
    if (kind == "shells") return shell_words();
    std::vector<candidate> words;
    try {
        words = kind == "instances" ? instance_words() : unit_words(kind, where);
    } catch (const std::exception&) {  // somebody is typing: no word is better than a message
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
    std::string text = "[";
    for (const auto& [word, help] : found.words) {
        text += fmt::format(R"({}{{"word":{},"help":{}}})", text.size() > 1 ? "," : "",
                            util::json_quote(word), util::json_quote(help));
    }
    print(text + "]\n");
    return exit_code::done;
}

exit_code run_completions(invocation& call) {
    if (const auto kind = call.value("words")) return print_words(call, *kind);
    if (call.operands.empty()) {
        throw failure(error_kind::usage, "cannot print a completion script: no shell is named",
                      "bash, fish or zsh");
    }
    const std::string& shell = call.operands.front();
    std::string_view script;
    if (shell == "bash") script = bash_completion;
    if (shell == "fish") script = fish_completion;
    if (shell == "zsh") script = zsh_completion;
    if (script.empty()) {
        throw failure(error_kind::usage,
                      fmt::format("cannot complete for '{}': not a shell that hob knows", shell),
                      "bash, fish or zsh");
    }
    if (call.global.json) {
        print(fmt::format(R"({{"shell":{},"script":{}}})"
                          "\n",
                          util::json_quote(shell), util::json_quote(script)));
    } else {
        print(script);
    }
    return exit_code::done;
}

constexpr option_row options[] = {
    {"words", "KIND", "print the words of one kind: verbs, units, workers, instances, ...",
     "verbs units workers services tasks instances shells line"},
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
