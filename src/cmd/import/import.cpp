#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/formats/machine.hpp"
#include "cmd/formats/read.hpp"
#include "identity.hpp"
#include "lifecycle/instance.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr unsigned file_mode = 0644;  // of a new hob.toml, less the umask

// The hob.toml that is extended.
struct import_target {
    std::string path;       // without symlinks
    std::string root;       // its directory
    struct stat before {};  // st_nlink 0: the file does not exist
    std::string text;       // its present content
    std::string added;
    mode_t mode = file_mode;  // that it gets, less the umask if it is new
};

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
    return real ? std::string(real.get()) : std::string();
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The hob.toml of this project. Without a project: a new one in this directory.
import_target find_target(invocation& call) {
    const auto& where = call.where();
    std::string path = where.config_path;
    if (where.key == "user") path = call.global.directory.value_or(".") + "/" + this_program.config_file;
    import_target target;
    target.root = real_path(directory_of(path));
    if (target.root.empty()) throw denied("find", directory_of(path), errno);
    target.path = real_path(path);
    if (target.path.empty()) target.path = target.root + "/" + this_program.config_file;
    if (::stat(target.path.c_str(), &target.before) == 0) {
        target.text = unit::read_trusted_file(target.path, ::geteuid());
    } else if (errno != ENOENT) {
        throw denied("read", target.path, errno);
    } else {
        target.before = {};
    }
    return target;
}

std::string file_operand(const invocation& call) {
    const std::string& file = call.operands.front();
    if (file.empty()) throw failure(error_kind::usage, cannot("import", "a file"), "its name is empty");
    const bool relative = call.global.directory && !file.starts_with('/') && file != "-";
    return relative ? *call.global.directory + "/" + file : file;
}

std::string read_standard_input() {
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw denied("read", "-", errno);
        if (count == 0) return text;
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > limits::config_file_max)
            throw failure(error_kind::config, cannot("read", "-"), "it is too large");
    }
}

std::string format_option(const invocation& call) {
    const std::string format = call.value("format").value_or("");
    const bool known =
        std::find(std::begin(import_formats), std::end(import_formats), format) != std::end(import_formats);
    if (!format.empty() && !known) {
        std::string all;
        for (const auto name : import_formats)
            all.append(all.empty() ? "" : ", ").append(name);
        throw failure(error_kind::usage, cannot("use", format, "for '--format'"), "it is none of " + all);
    }
    return format;
}

// The directory that relative paths in the file begin in. Editors keep their files in a subdirectory of the
// folder that these apply to; what a person has elsewhere (~/.codex, a shared mcp.json) applies to the
// project.
std::string folder_of(const std::string& file, const std::string& root) {
    const std::string directory = real_path(file == "-" ? "." : directory_of(file));
    for (const char* name : {"/.vscode", "/.cursor", "/.zed"}) {
        if (directory.ends_with(name)) return directory.substr(0, directory.rfind('/'));
    }
    const bool of_project = !file.ends_with(".json") && !file.ends_with(".toml");
    return of_project || file.ends_with("package.json") ? directory : root;
}

// Whether a note is about the file as a whole. `entries`: of all units in it.
bool is_of_file(const import_note& note, const import_result& found, const std::set<std::string>& entries) {
    return !entries.contains(note.from) &&
           std::none_of(found.refused.begin(), found.refused.end(),
                        [&](const import_note& entry) { return entry.from == note.from; });
}

// As it is called in comments.
std::string file_name(const invocation& call) {
    return call.operands.front() == "-" ? "standard input" : call.operands.front();
}

// Refuses the units that hob.toml would not take.
void drop_invalid(import_result& found, const std::string& file, const std::string& root) {
    std::erase_if(found.units, [&](const imported_unit& entry) {
        try {
            checked_toml(entry, file, root);
            return false;
        } catch (const unimportable& why) {
            found.refused.push_back({entry.from, why.what()});
            return true;
        }
    });
}

// Keeps the entries that the command line names, or all, except those that hob.toml has already.
void select_entries(const invocation& call, const unit::config& existing, const std::string& root,
                    import_result& found) {
    const std::vector<std::string> names(call.operands.begin() + 1, call.operands.end());
    std::set<std::string> all;
    for (const auto& entry : found.units)
        all.insert(entry.from);
    const auto is_selected = [&](const std::string& from) {
        return names.empty() || std::find(names.begin(), names.end(), from) != names.end();
    };
    for (const auto& name : names) {
        const auto matches = [&](const auto& entry) { return entry.from == name; };
        if (std::none_of(found.units.begin(), found.units.end(), matches) &&
            std::none_of(found.refused.begin(), found.refused.end(), matches))
            found.refused.push_back({name, "the file has no such entry"});
    }
    std::erase_if(found.units, [&](const imported_unit& entry) {
        if (!is_selected(entry.from)) return true;
        if (existing.find(entry.name) == nullptr) return false;
        found.refused.push_back({entry.from, fmt::format("hob.toml has a unit '{}' already", entry.name)});
        return true;
    });
    std::erase_if(found.refused, [&](const import_note& entry) { return !is_selected(entry.from); });
    std::erase_if(found.notes, [&](const import_note& entry) {
        if (names.empty() && is_of_file(entry, found, all)) return false;
        return std::none_of(found.units.begin(), found.units.end(),
                            [&](const imported_unit& unit) { return unit.from == entry.from; });
    });
    drop_invalid(found, file_name(call), root);
    settle_after(found, [&](const std::string& name) { return existing.find(name) != nullptr; });
}

// What is not in the units: refused entries, and notes about the file.
std::string remaining_text(const import_result& found) {
    std::set<std::string> entries;
    for (const auto& unit : found.units)
        entries.insert(unit.from);
    std::string text;
    for (const auto& entry : found.refused)
        text += fmt::format("# not imported: {}: {}\n", toml_comment(entry.from), toml_comment(entry.text));
    for (const auto& note : found.notes) {
        if (is_of_file(note, found, entries))
            text += fmt::format("# {}: {}\n", toml_comment(note.from), toml_comment(note.text));
    }
    return text;
}

std::string render(const import_result& found, const std::string& file) {
    std::string text;
    for (const auto& entry : found.units)
        text += (text.empty() ? "" : "\n") + to_toml(entry, file);
    const std::string rest = remaining_text(found);
    return text + (text.empty() || rest.empty() ? "" : "\n") + rest;
}

// Writes the file atomically, unless somebody else has changed it meanwhile.
void write(const import_target& what, const std::string& text) {
    const std::string temporary = fmt::format("{}.new-{}", what.path, ::getpid());
    ::unlink(temporary.c_str());
    const util::unique_fd fd =
        util::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, what.mode);
    if (!fd) throw denied("write", what.path, errno);
    const bool is_new = what.before.st_nlink == 0;
    bool done = util::write_all(fd.get(), text) && (is_new || ::fchmod(fd.get(), what.mode) == 0) &&
                ::fsync(fd.get()) == 0;
    int error = errno;
    struct stat now {};
    const bool existing = ::stat(what.path.c_str(), &now) == 0;
    const bool same = is_new ? !existing
                             : existing && now.st_ino == what.before.st_ino &&
                                   now.st_size == what.before.st_size &&
                                   now.st_mtim.tv_sec == what.before.st_mtim.tv_sec &&
                                   now.st_mtim.tv_nsec == what.before.st_mtim.tv_nsec;
    if (done && same) {
        done = ::rename(temporary.c_str(), what.path.c_str()) == 0;
        error = errno;
    }
    if (!done || !same) ::unlink(temporary.c_str());
    if (!done) throw denied("write", what.path, error);
    if (!same) throw failure(error_kind::config, cannot("write", what.path), "it was changed meanwhile");
}

util::json_array notes_json(const std::vector<import_note>& notes) {
    util::json_array entries;
    for (const auto& note : notes) {
        util::json_object entry;
        entries.add(entry.add("entry", note.from).add("text", note.text));
    }
    return entries;
}

void print_result_json(const import_target& what, const import_result& found, bool dry) {
    util::json_array units;
    for (const auto& unit : found.units) {
        util::json_object entry;
        entry.add("name", unit.name).add("entry", unit.from).add("kind", unit::name_of(unit.kind));
        if (unit.kind == unit::unit_kind::worker) entry.add("protocol", unit.protocol);
        units.add(entry);
    }
    util::json_object result;
    result.add("file", what.path).add("written", !dry && !found.units.empty());
    result.add("units", units)
        .add("refused", notes_json(found.refused))
        .add("notes", notes_json(found.notes));
    result.add("toml", what.added);
    print(std::move(result).text() + "\n");
}

void print_result(const invocation& call, const import_target& what, const import_result& found, bool dry) {
    const bool utf8 = err_terminal().utf8;
    for (const auto& entry : found.refused) {
        print_error(fmt::format("hob: not imported: '{}': {}\n", printable(entry.from, utf8),
                                printable(entry.text, utf8)));
    }
    if (!call.global.quiet) {
        for (const auto& entry : found.notes)
            print_error(
                fmt::format("hob: '{}': {}\n", printable(entry.from, utf8), printable(entry.text, utf8)));
    }
    if (dry) {
        print(what.added);
    } else if (!call.global.quiet) {
        for (const auto& entry : found.units)
            print(fmt::format("added {} '{}'{}\n", unit::name_of(entry.kind), entry.name,
                              entry.protocol.empty() ? "" : fmt::format(" ({})", entry.protocol)));
    }
}

// Nobody who could not read the imported file can read the result: the file may hold keys.
void restrict_mode(import_target& what, const std::string& file) {
    constexpr mode_t others = S_IRWXG | S_IRWXO;
    struct stat source {};
    if (file == "-" || ::stat(file.c_str(), &source) != 0) source.st_mode = S_IRUSR | S_IWUSR;
    if (what.before.st_nlink != 0) what.mode = what.before.st_mode & 07777;
    what.mode &= ~others | source.st_mode;
}

import_context context_for(const std::string& file, const std::string& root) {
    import_context context;
    context.root = root;
    context.folder = folder_of(file, root);
    if (const char* home = ::getenv("HOME")) context.home = home;
    return context;
}

exit_code run_import(invocation& call) {
    const std::string file = file_operand(call);
    const std::string format = format_option(call);
    const bool dry = call.has("dry-run");
    import_target what = find_target(call);
    const unit::config existing = unit::parse_config(what.text, what.path, what.root);
    const std::string bytes =
        file == "-" ? read_standard_input() : unit::read_trusted_file(file, ::geteuid(), {});
    restrict_mode(what, file);
    const import_environment machine = this_machine();
    import_result found = read_import(bytes, file, context_for(file, what.root), machine, format);
    select_entries(call, existing, what.root, found);
    what.added = render(found, file_name(call));
    std::string text = what.text;
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    if (!text.empty()) text += '\n';
    text += what.added;
    unit::parse_config(text, what.path, what.root);  // never write a file that `hob check` refuses
    if (!dry && !found.units.empty()) write(what, text);
    if (call.global.json) {
        print_result_json(what, found, dry);
    } else {
        print_result(call, what, found, dry);
    }
    if (found.units.empty())
        throw failure(error_kind::config, cannot("import", file), "it has nothing that can be added");
    return exit_code::done;
}

constexpr std::array options{
    option_row{"dry-run,n", "", "print what would be added and write nothing"},
    option_row{"format", "FORMAT", "what the file is, instead of finding out",
               "procfile package compose tasks launch mcp crontab"},
};

}  // namespace

extern constinit const command import_command;
constinit const command import_command{
    .name = "import",
    .summary = "add units from files of other programs",
    .usage = "FILE [ENTRY...]",
    .description =
        "Reads Procfile, package.json, compose.yaml, a crontab, VS Code's tasks.json or\n"
        "launch.json, or the MCP servers of an agent (.mcp.json, .vscode/mcp.json,\n"
        "~/.codex/config.toml, Zed's settings.json), and adds a unit for each entry to\n"
        "the hob.toml of this project. Nothing is executed. Existing units are not\n"
        "changed. What cannot be carried over is named, here and in comments. With -\n"
        "the file is standard input: crontab -l | hob import -",
    .need = daemon_need::looking,
    .completes = operand_kind::file,
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .run = run_import,
};

}  // namespace hob::cmd
