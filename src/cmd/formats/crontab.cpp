// crontab(5): of a user, and of the system with the name of a user in each line.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/readers.hpp"
#include "cmd/formats/scripts.hpp"
#include "unit/config/run_command.hpp"
#include "unit/spec/cron.hpp"
#include "util/shell_quote.hpp"

namespace hob::cmd {
namespace {

struct cron_line {
    std::string when;
    std::string_view rest;  // after the times; empty: it is no entry
};

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

bool is_field(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("*/,-?~#").find(c) != std::string_view::npos;
    }) && (word.find_first_of("0123456789*?~") != std::string_view::npos || word.size() <= 7);
}

cron_line parse_entry(std::string_view line) {
    std::string_view rest = line;
    std::string when(take_word(rest));
    if (when.starts_with('@')) return {when, trimmed(rest)};
    if (!is_field(when) || when.find_first_of("0123456789*?~") == std::string::npos) return {};
    for (int field = 1; field < 5; ++field) {
        const std::string_view word = take_word(rest);
        if (!is_field(word)) return {};
        when.append(" ").append(word);
    }
    return {when, trimmed(rest)};
}

struct assignment {
    std::string name;  // empty: not an assignment
    std::string value;
};

std::string_view unquoted(std::string_view text) {
    text = trimmed(text);
    const bool quoted = text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
    return quoted ? text.substr(1, text.size() - 2) : text;
}

assignment parse_assignment(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view name = unquoted(line.substr(0, equals));
    if (!is_variable_name(name)) return {};
    return {std::string(name), std::string(unquoted(line.substr(equals + 1)))};
}

bool is_comment(std::string_view line) { return line.empty() || line.starts_with('#'); }

// The command, and what follows its first `%`: its standard input, in which each further one ends a line.
struct command_text {
    std::string command;
    std::vector<std::string> input;
};

command_text split_at_percent(std::string_view text) {
    command_text apart;
    std::string* part = &apart.command;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '%') {
            *part += '%';
            ++at;
        } else if (text[at] == '%') {
            part = &apart.input.emplace_back();
        } else {
            *part += text[at];
        }
    }
    return apart;
}

class crontab_reader {
public:
    crontab_reader(bool by_system, import_collector& found)
        : by_system_(by_system), own_(false), found_(found) {}

    void read(std::string_view text) {
        own_ = is_written_by_export(text);
        int number = 0;
        for (const auto& each : lines_of(text)) {
            ++number;
            const std::string_view line = trimmed(each);
            if (is_comment(line)) {
                comment(line);
            } else if (const assignment set = parse_assignment(line);
                       !set.name.empty() && parse_entry(line).rest.empty()) {
                variables_[set.name] = set.value;
                if (set.name == "MAILTO" && !set.value.empty())
                    found_.note("MAILTO",
                                "no mail is sent: hob runs has the output, and on_failure runs a command");
            } else {
                entry(line, number);
            }
        }
    }
    int entries() const { return entries_; }

private:
    void comment(std::string_view line) {
        if (own_) read_note(line, notes_);
        about_ = own_ || line.size() < 2 ? std::string() : std::string(trimmed(line.substr(1)));
    }
    void entry(std::string_view line, int number) {
        const cron_line parsed = parse_entry(line);
        std::string_view rest = parsed.rest;
        const std::string user(by_system_ ? take_word(rest) : std::string_view());
        const command_text command = split_at_percent(trimmed(rest));
        std::string name = notes_.name.empty() ? name_of_command(command.command) : notes_.name;
        if (name.empty()) name = fmt::format("line-{}", number);
        if (trimmed(command.command).empty()) {
            found_.refuse(fmt::format("line {}", number), "it is no entry of a crontab");
        } else {
            ++entries_;
            const bool same = own_ && found_.has_units() && !notes_.name.empty() && notes_.name == last_name_;
            last_name_ = notes_.name;
            // A task that also runs at the start has two lines.
            if (same && parsed.when == "@reboot") {
                found_.last().keys.emplace_back("on_start", "true");
                notes_ = {};
                return;
            }
            found_.entry(name, [&] { return task(parsed.when, user, command); });
        }
        notes_ = {};
        about_.clear();
    }
    imported_unit task(const std::string& when, const std::string& user, const command_text& command) {
        imported_unit unit;
        unit.kind = unit::unit_kind::task;
        unit.about = about_;
        set_script(command, unit);
        if (!unit.cwd) unit.cwd = home();
        apply_variables(unit);
        apply_notes(notes_, unit);
        if (!user.empty())
            unit.remarks.push_back(fmt::format("it ran as {}; hob runs it as the user of its daemon", user));
        set_times(when, unit);
        return unit;
    }
    // cron starts a command in the home directory. What hob wrote began in the project's.
    std::string home() const {
        if (own_) return ".";
        const auto given = variables_.find("HOME");
        return parse_path("HOME", given != variables_.end() ? given->second : found_.context.home,
                          found_.context);
    }
    void set_script(const command_text& command, imported_unit& unit) const {
        import_context from_home = found_.context;
        if (!own_) from_home.folder = from_home.home;
        std::string text(trimmed(command.command));
        if (!command.input.empty()) {
            text = "printf '%s\\n' " + util::shell_quoted(command.input) + " | { " + text + "\n}";
            unit.remarks.push_back("what follows its '%' is its standard input");
        }
        const auto shell = variables_.find("SHELL");
        const bool plain = shell == variables_.end() || shell->second == "/bin/sh";
        if (plain && command.input.empty()) {
            set_command(unit, text, from_home);
        } else if (plain) {
            unit.script = text;
        } else {
            for (const std::string_view word :
                 {std::string_view(shell->second), std::string_view("-c"), std::string_view(text)})
                unit.run.push_back(literal_word(word));
        }
    }
    void apply_variables(imported_unit& unit) const {
        for (const auto& [name, value] : variables_) {
            if (name == "SHELL" || name == "HOME" || name == "CRON_TZ") continue;
            if (name == "MAILTO" || name == "MAILFROM") {
                continue;
            }
            require_name(name);
            unit.env.emplace_back(name, literal_word(value));
        }
    }
    static void require_name(const std::string& name) {
        if (name.starts_with("HOB_"))
            throw unimportable(fmt::format("it sets '{}', which is hob's own", name));
    }
    void set_times(const std::string& when, imported_unit& unit) const {
        if (when == "@reboot") {
            unit.keys.emplace_back("on_start", "true");
            unit.remarks.push_back("on_start is each start of hob's daemon, not only a boot");
            return;
        }
        unit::cron_error why;
        if (!unit::parse_cron(when, why))
            throw unimportable(fmt::format("its times '{}': {}", when, why.reason));
        unit.keys.emplace_back("cron", toml_string(when));
        const auto zone = variables_.find("CRON_TZ");
        if (zone != variables_.end()) unit.keys.emplace_back("time_zone", toml_string(zone->second));
        // cron forgets what a machine that was off has missed.
        unit.keys.emplace_back("catch_up", "\"none\"");
    }

    bool by_system_;
    bool own_;  // hob export wrote it
    import_collector& found_;
    std::map<std::string, std::string> variables_;
    std::string about_;
    std::string last_name_;
    written_notes notes_;
    int entries_ = 0;
};

}  // namespace

bool looks_like_crontab(std::string_view text) {
    int entries = 0;
    for (const auto each : lines_of(text)) {
        const std::string_view line = trimmed(each);
        if (is_comment(line)) continue;
        if (!parse_entry(line).rest.empty()) {
            ++entries;
        } else if (parse_assignment(line).name.empty()) {
            return false;
        }
    }
    return entries > 0;
}

namespace {

bool is_login_name(std::string_view word) {
    return !word.empty() &&
           word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos &&
           (word[0] == '_' || (word[0] >= 'a' && word[0] <= 'z'));
}

}  // namespace

bool looks_like_system_crontab(std::string_view text, const std::string& path,
                               const import_environment& machine) {
    if (path == "/etc/crontab" || path.find("/cron.d/") != std::string::npos) return true;
    const auto is_program = [&](const std::string& word) {
        return machine.has_program && machine.has_program(word);
    };
    int entries = 0;
    for (const auto each : lines_of(text)) {
        const std::string_view line = trimmed(each);
        std::string_view rest = is_comment(line) ? std::string_view() : parse_entry(line).rest;
        if (rest.empty()) continue;
        const std::string user(take_word(rest)), program(take_word(rest));
        const bool is_user = user == "root" || (machine.is_user && machine.is_user(user));
        // A user of another machine: what follows is a program, and this is none.
        const bool is_other = is_login_name(user) && unit::is_plain_command(user) &&
                              (program.starts_with('/') || is_program(program));
        if (program.empty() || (user != "root" && is_program(user)) || !(is_user || is_other)) return false;
        ++entries;
    }
    return entries > 0;
}

void read_crontab(std::string_view text, bool by_system, const std::string& path, import_collector& found) {
    crontab_reader reader(by_system, found);
    reader.read(text);
    if (reader.entries() == 0) throw cannot_import(path, "it has no entry of a crontab");
}

}  // namespace hob::cmd
