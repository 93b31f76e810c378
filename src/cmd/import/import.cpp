#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/import/read.hpp"
#include "identity.hpp"
#include "lifecycle/instance.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "util/json/json_writer.hpp"
#include "util/process_handle.hpp"

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

bool is_in_path(const std::string& program) {
    const char* path = ::getenv("PATH");
    std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string file = std::string(rest.substr(0, end)) + "/" + program;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (::access(file.c_str(), X_OK) == 0) return true;
    }
    return false;
}

// Finds the module without running it, and not in the current directory.
bool python_has_debugpy() {
    const char* const words[] = {"python3", "-c",
                                 "import sys; sys.path.pop(0); from importlib.util import find_spec; "
                                 "sys.exit(not find_spec('debugpy'))",
                                 nullptr};
    const util::unique_fd null = util::open_file("/dev/null", O_RDWR);
    // exec does not change the arguments, although its signature allows it.
    const pid_t pid = util::start_program(words[0], const_cast<char* const*>(words), [&null] {
        return ::dup2(null.get(), 0) == 0 && ::dup2(null.get(), 1) == 1 && ::dup2(null.get(), 2) == 2;
    });
    if (pid < 0) return false;
    const bool in_time = util::process_handle(pid).wait(util::deadline::in(limits::import_probe_timeout));
    if (!in_time) ::kill(pid, SIGKILL);
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string file_operand(const invocation& call) {
    const std::string& file = call.operands.front();
    if (file.empty()) throw failure(error_kind::usage, cannot("import", "a file"), "its name is empty");
    return call.global.directory && !file.starts_with('/') ? *call.global.directory + "/" + file : file;
}

// Editors keep their files in a subdirectory of the folder that they apply to.
std::string folder_of(const std::string& file, const std::string& root) {
    const std::string directory = real_path(directory_of(file));
    for (const char* name : {"/.vscode", "/.cursor"}) {
        if (directory.ends_with(name)) return directory.substr(0, directory.rfind('/'));
    }
    return root;
}

// Keeps the entries that the command line names, or all, except those that hob.toml has already.
void select_entries(const invocation& call, const unit::config& existing, import_result& found) {
    const std::vector<std::string> names(call.operands.begin() + 1, call.operands.end());
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
        return std::none_of(found.units.begin(), found.units.end(),
                            [&](const imported_unit& unit) { return unit.from == entry.from; });
    });
}

std::string render(import_result& found, const std::string& file) {
    std::string text;
    std::erase_if(found.units, [&](const imported_unit& entry) {
        try {
            text += (text.empty() ? "" : "\n") + to_toml(entry, file);
            return false;
        } catch (const unimportable& why) {
            found.refused.push_back({entry.from, why.what()});
            return true;
        }
    });
    return text;
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
        units.add(entry.add("name", unit.name).add("entry", unit.from).add("protocol", unit.protocol));
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
            print(fmt::format("added worker '{}' ({})\n", entry.name, entry.protocol));
    }
}

// Nobody who could not read the imported file can read the result: the file may hold keys.
void restrict_mode(import_target& what, const std::string& file) {
    constexpr mode_t others = S_IRWXG | S_IRWXO;
    struct stat source {};
    if (::stat(file.c_str(), &source) != 0) source.st_mode = S_IRUSR | S_IWUSR;
    if (what.before.st_nlink != 0) what.mode = what.before.st_mode & 07777;
    what.mode &= ~others | source.st_mode;
}

exit_code run_import(invocation& call) {
    const std::string file = file_operand(call);
    const bool dry = call.has("dry-run");
    import_target what = find_target(call);
    const unit::config existing = unit::parse_config(what.text, what.path, what.root);
    const std::string bytes = unit::read_trusted_file(file, ::geteuid(), {});
    import_context context;
    context.root = what.root;
    context.folder = folder_of(file, what.root);
    if (const char* home = ::getenv("HOME")) context.home = home;
    restrict_mode(what, file);
    import_result found = read_import(bytes, file, context, {is_in_path, python_has_debugpy});
    select_entries(call, existing, found);
    what.added = render(found, call.operands.front());
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
};

}  // namespace

extern constinit const command import_command;
constinit const command import_command{
    .name = "import",
    .summary = "add workers from mcp.json or launch.json",
    .usage = "FILE [ENTRY...]",
    .description =
        "Reads the servers of an MCP client (`mcpServers`, or `servers` as VS Code has\n"
        "them) or the configurations of VS Code's launch.json, and adds a worker for\n"
        "each to the hob.toml of this project. Existing units are not changed. Entries\n"
        "that cannot become a worker are listed with the reason.",
    .need = daemon_need::looking,
    .completes = operand_kind::file,
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .run = run_import,
};

}  // namespace hob::cmd
