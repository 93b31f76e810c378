#include "cmd/core/help_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "identity.hpp"
#include "util/json/json_writer.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view heading = "1";

std::vector<help_line> option_lines(std::span<const option_row> rows) {
    std::vector<help_line> lines;
    for (const auto& row : rows) {
        if (!row.help.empty()) lines.push_back({option_words(row), std::string(row.help)});
    }
    return lines;
}

std::string usage_line(const command& verb) {
    std::string usage = command_text(verb.name);
    if (!verb.options.empty()) usage += " [OPTIONS]";
    if (!verb.usage.empty()) usage += fmt::format(" {}", verb.usage);
    return usage;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, int columns) {
    const auto width = static_cast<std::size_t>(std::max(columns, 20));
    const std::size_t room = width > indent + 16 ? width - indent : 16;
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        const auto space = text.find(' ');
        const auto word = text.substr(0, space);
        if (used > 0 && used + 1 + word.size() > room) {
            out += "\n" + std::string(indent, ' ');
            used = 0;
        } else if (used > 0) {
            out += ' ';
            ++used;
        }
        out += word;
        used += word.size();
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    return out;
}

std::string help_columns(const std::vector<help_line>& lines, const terminal& out) {
    std::size_t widest = 0;
    for (const auto& each : lines)
        widest = std::max(widest, each.left.size());
    const auto columns = static_cast<std::size_t>(std::max(out.columns, 20));
    const bool narrow = columns < widest + 4 + 16;
    const std::size_t indent = narrow ? 6 : widest + 4;
    std::string text;
    for (const auto& [left, right] : lines) {
        text += "  " + left;
        text += narrow ? "\n" + std::string(indent, ' ') : std::string(indent - 2 - left.size(), ' ');
        text += wrapped(right, indent, out.columns) + "\n";
    }
    return text;
}

std::string_view option_name(const option_row& row) { return row.name.substr(0, row.name.find(',')); }

std::string option_words(const option_row& row) {
    const auto comma = row.name.find(',');
    const std::string_view name = row.name.substr(0, comma);
    std::string words;
    if (comma != std::string_view::npos) words = fmt::format("-{}", row.name.substr(comma + 1));
    if (!name.empty())
        words += fmt::format("{}{}{}", words.empty() ? "" : ", ", name.size() == 1 ? "-" : "--", name);
    if (!row.value.empty()) words += fmt::format(" {}", row.value);
    return words;
}

std::string overview_text(const terminal& out) {
    std::vector<help_line> verbs;
    for (const command* verb : all_commands())
        verbs.push_back({std::string(verb->name), std::string(verb->summary)});
    std::string text = fmt::format("{} {}: {}\n\n", this_program.name, version_text, this_program.purpose);
    text += paint("Usage:", heading, out.color) + " " +
            command_text("[GLOBAL OPTIONS] VERB [OPTIONS] [ARGUMENTS]") + "\n\n";
    text += paint("Verbs:", heading, out.color) + "\n" + help_columns(verbs, out) + "\n";
    text += paint("Global options:", heading, out.color) + "\n";
    text += help_columns(option_lines(global_option_rows()), out);
    return text + fmt::format("\nMore: {0} help VERB, {0} help KEY, man {0}, man {0}-VERB, man {1}\n",
                              this_program.name, this_program.config_file);
}

std::string verb_text(const command& verb, const terminal& out) {
    std::string text = fmt::format("{} {}: {}\n\n", this_program.name, verb.name, verb.summary);
    text += paint("Usage:", heading, out.color) + " " + usage_line(verb) + "\n\n";
    text += fmt::format("{}\n", verb.description);
    if (const auto lines = option_lines(verb.options); !lines.empty()) {
        text += "\n" + paint("Options:", heading, out.color) + "\n" + help_columns(lines, out);
    }
    return text + fmt::format("\nMore: man {0}-{1}, and the global options: {0} help\n", this_program.name,
                              verb.name);
}

std::string verb_json(const command& verb) {
    util::json_array options;
    for (const auto& row : verb.options) {
        if (row.help.empty()) continue;
        util::json_object option;
        option.add("name", option_name(row));
        option.add("argument", row.value.empty() ? std::nullopt : std::optional(row.value));
        option.add("help", row.help);
        options.add(option);
    }
    util::json_object object;
    object.add("verb", verb.name).add("summary", verb.summary).add("synopsis", usage_line(verb));
    object.add("starts_daemon", verb.need == daemon_need::acting).add("options", options);
    return std::move(object).text();
}

std::string overview_json() {
    util::json_array verbs;
    for (const command* verb : all_commands())
        verbs.add(util::raw_json{verb_json(*verb)});
    return std::move(verbs).text();
}

}  // namespace hob::cmd
