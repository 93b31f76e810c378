#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
#include "lifecycle/instance.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "unit/config/file.hpp"
#include "util/fd.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

constexpr unsigned file_mode = 0644;  // of a new hob.toml, less the umask

// What is to be written, and where.
struct plan {
    std::string path;       // of hob.toml, without symlinks
    std::string root;       // its directory
    struct stat before {};  // of the file; st_nlink 0: there is none
    std::string text;       // as it is
    std::string added;
};

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
    return real ? std::string(real.get()) : std::string();
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The hob.toml of this project; where there is no project, one begins here.
plan find_target(invocation& call) {
    const auto& where = call.where();
    std::string path = where.config_path;
    if (where.key == "user") path = call.global.directory.value_or(".") + "/hob.toml";
    plan made;
    made.root = real_path(directory_of(path));
    if (made.root.empty()) throw denied("find", directory_of(path), errno);
    made.path = real_path(path);
    if (made.path.empty()) made.path = made.root + "/hob.toml";
    if (::stat(made.path.c_str(), &made.before) == 0) {
        made.text = unit::read_trusted_file(made.path, ::geteuid());
    } else if (errno != ENOENT) {
        throw denied("read", made.path, errno);
    } else {
        made.before = {};
    }
    return made;
}

bool in_path(const std::string& program) {
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

// Without running any of it; the current directory does not count.
bool python_has_debugpy() {
    const char* const words[] = {"python3", "-c",
                                 "import sys; sys.path.pop(0); from importlib.util import find_spec; "
                                 "sys.exit(not find_spec('debugpy'))",
                                 nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    pid_t pid = 0;
    // The arguments are not changed, whatever the signature says.
    const int error =
        ::posix_spawnp(&pid, words[0], &actions, nullptr, const_cast<char* const*>(words), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return false;
    const util::unique_fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    pollfd ended{handle.get(), POLLIN, 0};
    const bool in_time =
        handle && ::poll(&ended, 1, static_cast<int>(limits::import_probe_timeout.count())) == 1;
    if (!in_time) ::kill(pid, SIGKILL);
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string file_operand(const invocation& call) {
    const std::string& file = call.operands.front();
    if (file.empty()) throw failure(error_kind::usage, "cannot import '': the name is empty");
    return call.global.directory && !file.starts_with('/') ? *call.global.directory + "/" + file : file;
}

// Editors keep their files in a directory of the folder that they are about.
std::string folder_of(const std::string& file, const std::string& root) {
    const std::string directory = real_path(directory_of(file));
    for (const char* name : {"/.vscode", "/.cursor"}) {
        if (directory.ends_with(name)) return directory.substr(0, directory.rfind('/'));
    }
    return root;
}

// Entries that are named on the command line, or all; what is there already stays as it is.
void choose(const invocation& call, const unit::config& there, import_result& found) {
    const std::vector<std::string> names(call.operands.begin() + 1, call.operands.end());
    const auto named = [&](const std::string& from) {
        return names.empty() || std::find(names.begin(), names.end(), from) != names.end();
    };
    for (const auto& name : names) {
        const auto is_it = [&](const auto& one) { return one.from == name; };
        if (std::none_of(found.units.begin(), found.units.end(), is_it) &&
            std::none_of(found.refused.begin(), found.refused.end(), is_it))
            found.refused.push_back({name, "the file has no such entry"});
    }
    std::erase_if(found.units, [&](const imported_unit& one) {
        if (!named(one.from)) return true;
        if (there.find(one.name) == nullptr) return false;
        found.refused.push_back({one.from, fmt::format("hob.toml has a unit '{}' already", one.name)});
        return true;
    });
    std::erase_if(found.refused, [&](const import_note& one) { return !named(one.from); });
    std::erase_if(found.notes, [&](const import_note& one) {
        return std::none_of(found.units.begin(), found.units.end(),
                            [&](const imported_unit& unit) { return unit.from == one.from; });
    });
}

std::string render(import_result& found, const std::string& file) {
    std::string text;
    std::erase_if(found.units, [&](const imported_unit& one) {
        try {
            text += (text.empty() ? "" : "\n") + to_toml(one, file);
            return false;
        } catch (const unimportable& why) {
            found.refused.push_back({one.from, why.what()});
            return true;
        }
    });
    return text;
}

// Complete or not at all, and not over what somebody else wrote meanwhile.
void write(const plan& what, const std::string& text) {
    const std::string temporary = fmt::format("{}.new-{}", what.path, ::getpid());
    const auto cannot_write = [&](const std::string& reason) {
        return failure(error_kind::config, fmt::format("cannot write '{}': {}", what.path, reason));
    };
    ::unlink(temporary.c_str());
    const util::unique_fd fd =
        util::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode);
    if (!fd) throw cannot_write(errno_text(errno));
    const bool is_new = what.before.st_nlink == 0;
    bool done = util::write_all(fd.get(), text) &&
                (is_new || ::fchmod(fd.get(), what.before.st_mode & 07777) == 0) && ::fsync(fd.get()) == 0;
    int error = errno;
    struct stat now {};
    const bool there = ::stat(what.path.c_str(), &now) == 0;
    const bool same = is_new
                          ? !there
                          : there && now.st_ino == what.before.st_ino && now.st_size == what.before.st_size &&
                                now.st_mtim.tv_sec == what.before.st_mtim.tv_sec &&
                                now.st_mtim.tv_nsec == what.before.st_mtim.tv_nsec;
    if (done && same) {
        done = ::rename(temporary.c_str(), what.path.c_str()) == 0;
        error = errno;
    }
    if (!done || !same) ::unlink(temporary.c_str());
    if (!done) throw cannot_write(errno_text(error));
    if (!same) throw cannot_write("somebody else has written it meanwhile");
}

std::string notes_json(const std::vector<import_note>& notes) {
    std::string text;
    for (const auto& one : notes) {
        text += fmt::format("{}{{\"entry\":{},\"text\":{}}}", text.empty() ? "" : ",",
                            util::json_quote(one.from), util::json_quote(one.text));
    }
    return "[" + text + "]";
}

void tell_json(const plan& what, const import_result& found, bool dry) {
    std::string units;
    for (const auto& one : found.units) {
        units += fmt::format(R"({}{{"name":{},"entry":{},"protocol":"{}"}})", units.empty() ? "" : ",",
                             util::json_quote(one.name), util::json_quote(one.from), one.protocol);
    }
    print(
        fmt::format("{{\"file\":{},\"written\":{},\"units\":[{}],\"refused\":{},\"notes\":{},\"toml\":{}}}\n",
                    util::json_quote(what.path), !dry && !found.units.empty(), units,
                    notes_json(found.refused), notes_json(found.notes), util::json_quote(what.added)));
}

void tell(const invocation& call, const plan& what, const import_result& found, bool dry) {
    const bool utf8 = err_terminal().utf8;
    for (const auto& one : found.refused) {
        print_error(fmt::format("hob: not imported: '{}': {}\n", printable(one.from, utf8),
                                printable(one.text, utf8)));
    }
    if (!call.global.quiet) {
        for (const auto& one : found.notes)
            print_error(fmt::format("hob: '{}': {}\n", printable(one.from, utf8), printable(one.text, utf8)));
    }
    if (dry) {
        print(what.added);
    } else if (!call.global.quiet) {
        for (const auto& one : found.units)
            print(fmt::format("added worker '{}' ({})\n", one.name, one.protocol));
    }
}

exit_code run_import(invocation& call) {
    const std::string file = file_operand(call);
    const bool dry = call.has("dry-run");
    plan what = find_target(call);
    const unit::config there = unit::parse_config(what.text, what.path, what.root);
    const std::string bytes = unit::read_trusted_file(file, ::geteuid(), {});
    import_place place;
    place.root = what.root;
    place.folder = folder_of(file, what.root);
    if (const char* home = ::getenv("HOME")) place.home = home;
    import_result found = read_import(bytes, file, place, {in_path, python_has_debugpy});
    choose(call, there, found);
    what.added = render(found, call.operands.front());
    std::string text = what.text;
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    if (!text.empty()) text += '\n';
    text += what.added;
    unit::parse_config(text, what.path, what.root);  // what is written passes `hob check`
    if (!dry && !found.units.empty()) {
        try {
            write(what, text);
        } catch (const failure& reason) {
            // The code says what is wrong, the status that it is no matter of usage: the operation failed.
            print_failure(reason, call.global.json);
            return exit_code::failed;
        }
    }
    if (call.global.json) {
        tell_json(what, found, dry);
    } else {
        tell(call, what, found, dry);
    }
    if (!found.units.empty()) return exit_code::done;
    const failure none(error_kind::config,
                       fmt::format("cannot import '{}': it has nothing that can be added", file));
    print_failure(none, call.global.json);
    return exit_code::failed;
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
        "each to the hob.toml of this project. What is there already stays as it is,\n"
        "and what cannot be a worker is named with the reason.",
    .need = daemon_need::looking,
    .completes = operand_kind::file,
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .run = run_import,
};

}  // namespace hob::cmd
