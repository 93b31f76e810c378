#include "cmd/formats/scripts.hpp"

#include <algorithm>

#include "cmd/formats/command_words.hpp"
#include "unit/config/run_command.hpp"

namespace hob::cmd {
namespace {

std::vector<std::string> listed(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const auto comma = std::min(text.find(", "), text.size());
        const std::string_view item = trimmed(text.substr(0, comma));
        if (!item.empty()) items.emplace_back(item);
        text.remove_prefix(std::min(comma + 2, text.size()));
    }
    return items;
}

}  // namespace

void set_command(imported_unit& unit, std::string_view command, const import_context& context) {
    std::string text(trimmed(command));
    if (text.find('\0') != std::string::npos) throw unimportable("it has a NUL byte in a text");
    if (const auto apart = leading_directory(text)) {
        import_context literal = context;
        literal.folder = context.folder;
        unit.cwd = parse_path("cd", apart->directory, literal);
        text = apart->command;
    }
    const auto words = literal_words(text);
    const bool shell = words && words->size() == 3 && (*words)[0] == "/bin/sh" && (*words)[1] == "-c";
    if (shell && !trimmed((*words)[2]).empty()) {
        unit.script = (*words)[2];
    } else if (words && !unit::is_plain_command(text)) {
        for (const auto& word : *words)
            unit.run.push_back(literal_word(word));
    } else {
        unit.script = std::move(text);
    }
}

bool is_written_by_export(std::string_view text) { return text.starts_with(export_heading); }

void read_note(std::string_view comment, written_notes& notes) {
    const auto after = [&](std::string_view key) {
        return comment.starts_with(key) ? trimmed(comment.substr(key.size())) : std::string_view();
    };
    if (const auto text = after("# name: "); !text.empty()) notes.name = text;
    if (const auto text = after("# after: "); !text.empty()) notes.after = listed(text);
    if (const auto text = after("# environment: "); !text.empty()) notes.environment = listed(text);
    if (const auto text = after("# env_file: "); !text.empty()) notes.env_files = listed(text);
}

void apply_notes(const written_notes& notes, imported_unit& unit) {
    for (const auto& entry : notes.after)
        unit.after.push_back({entry});
    for (const auto& name : notes.environment) {
        if (name.find('=') != std::string::npos || name.starts_with("HOB_")) continue;
        unit.env.emplace_back(name, import_word{{name, true, {}, true}});
    }
    if (!notes.env_files.empty()) unit.env_files.clear();
    for (const auto& path : notes.env_files)
        unit.env_files.push_back({path, false});
}

}  // namespace hob::cmd
