// Procfile, of foreman, overmind, honcho and Heroku: a process a line, NAME: COMMAND.

#include <fmt/format.h>

#include <algorithm>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/readers.hpp"
#include "cmd/formats/scripts.hpp"

namespace hob::cmd {
namespace {

constexpr int first_port = 5000;  // what foreman gives, and 100 more for each further process
constexpr int port_step = 100;

struct entry {
    std::string_view name;  // empty: not an entry
    std::string_view command;
};

entry parse_line(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return {};
    const std::string_view name = line.substr(0, colon);
    const bool valid = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    });
    const std::string_view command = trimmed(line.substr(colon + 1));
    const bool scheme = command.starts_with("//");
    return valid && !command.empty() && !scheme ? entry{name, command} : entry{};
}

bool is_comment(std::string_view line) {
    const std::string_view text = trimmed(line);
    return text.empty() || text.starts_with('#');
}

bool uses_port(std::string_view command) {
    for (auto at = command.find("PORT"); at != std::string_view::npos; at = command.find("PORT", at + 1)) {
        const bool plain = at > 0 && command[at - 1] == '$';
        const bool braced = at > 1 && command.substr(at - 2, 2) == "${";
        const char after = at + 4 < command.size() ? command[at + 4] : ' ';
        const bool ends = !((after >= 'A' && after <= 'Z') || (after >= 'a' && after <= 'z') ||
                            (after >= '0' && after <= '9') || after == '_');
        if ((plain || braced) && ends) return true;
    }
    return false;
}

// `port`: what foreman would give; 0: no port.
imported_unit process_of(const entry& line, const written_notes& notes, int port,
                         const import_collector& found) {
    imported_unit unit;
    unit.kind = line.name == "release" ? unit::unit_kind::task : unit::unit_kind::service;
    if (unit.kind == unit::unit_kind::task)
        unit.remarks.push_back("a task: what a release runs once; foreman starts it like the others");
    set_command(unit, line.command, found.context);
    if (found.has_file(".env"))
        unit.env_files.push_back({parse_path(".env", found.context.folder + "/.env", found.context), false});
    apply_notes(notes, unit);
    const bool has_port =
        std::any_of(unit.env.begin(), unit.env.end(), [](const auto& one) { return one.first == "PORT"; });
    if (port != 0 && !has_port && uses_port(line.command)) {
        unit.env.emplace_back("PORT", literal_word(std::to_string(port)));
        unit.remarks.push_back(
            "PORT is foreman's; a variable of [ports] instead is a port that is free, see hob.toml(5)");
    }
    return unit;
}

}  // namespace

bool looks_like_procfile(std::string_view text) {
    int entries = 0;
    for (const auto line : lines_of(text)) {
        if (is_comment(line)) continue;
        if (parse_line(line).name.empty()) return false;
        ++entries;
    }
    return entries > 0;
}

void read_procfile(std::string_view text, const std::string& path, import_collector& found) {
    const auto lines = lines_of(text);
    const bool own = is_written_by_export(text);
    written_notes notes;
    int entries = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (is_comment(lines[i])) {
            if (own) read_note(lines[i], notes);
            continue;
        }
        const entry line = parse_line(lines[i]);
        if (line.name.empty()) {
            found.refuse(fmt::format("line {}", i + 1), "it is not NAME: COMMAND");
            continue;
        }
        const int port = own ? 0 : first_port + port_step * entries;
        ++entries;
        found.entry(std::string(line.name), [&] { return process_of(line, notes, port, found); });
        notes = {};
    }
    if (entries == 0) throw cannot_import(path, "it has no line NAME: COMMAND");
}

}  // namespace hob::cmd
