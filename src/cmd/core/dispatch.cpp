#include "cmd/core/dispatch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <exception>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/command_line.hpp"
#include "cmd/core/neighbours.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/remote.hpp"
#include "cmd/core/spawned.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/application.hpp"
#include "lifecycle/probe.hpp"
#include "util/suggest.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

// Opens 0, 1 and 2 if the caller had closed them, so that no other descriptor gets these numbers.
void fill_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) {
            if (::open("/dev/null", O_RDWR | O_NOCTTY) < 0) ::_exit(static_cast<int>(exit_code::failed));
        }
    }
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// "PROGRAM-VERB": the name of a link that stands for the verb, and of a program that adds one.
std::string program_of_verb(std::string_view verb) {
    return std::string(this_program.name).append("-").append(verb);
}

// The verb that the program was called by: of "PROGRAM-VERB", else empty.
std::string_view verb_of_name(std::string_view argv0) {
    const std::string_view called = base_name(argv0);
    const std::string_view name = this_program.name;
    if (!called.starts_with(name) || called.size() == name.size() || called[name.size()] != '-') return {};
    return called.substr(name.size() + 1);
}

// Replaces this process by PROGRAM-VERB from PATH; returns when there is none.
void try_external(const std::string& verb, const command_line& line) {
    if (verb.find('/') != std::string::npos) return;
    std::string program = program_of_verb(verb);
    std::vector<std::string> words = line.before;
    if (line.dashes) {
        words.emplace_back("--");
        words.insert(words.end(), line.after.begin(), line.after.end());
    }
    std::vector<char*> argv{program.data()};
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvp(program.c_str(), argv.data());
    ::signal(SIGPIPE, SIG_IGN);
    if (errno != ENOENT && errno != EACCES && errno != ENOTDIR) {
        throw failure(error_kind::usage, cannot("run", program), errno_text(errno));
    }
}

[[noreturn]] void unknown_verb(const std::string& verb) {
    std::vector<std::string_view> names;
    for (const command* known : all_commands())
        names.push_back(known->name);
    std::string_view meant = command_for_foreign_word(verb);
    if (meant.empty()) meant = util::nearest(verb, names).value_or(std::string_view());
    const std::string hint = meant.empty() ? command_text("help") + " lists the verbs"
                                           : "did you mean '" + command_text(meant) + "'?";
    throw failure(error_kind::usage, cannot("run", command_text(verb)), "no such verb", hint);
}

exit_code run_help(const std::string& verb) {
    invocation call;
    if (!verb.empty()) call.operands.push_back(verb);
    return find_command("help")->run(call);
}

// --install DIR: a link for every verb, to this binary.
exit_code install_links(const std::string& directory) {
    std::string self(4096, '\0');
    const ssize_t n = ::readlink("/proc/self/exe", self.data(), self.size());
    if (n < 0) throw denied("find", "/proc/self/exe", errno);
    self.resize(static_cast<std::size_t>(n));
    for (const command* known : all_commands()) {
        const std::string link = directory + "/" + program_of_verb(known->name);
        struct stat found {};
        if (::lstat(link.c_str(), &found) == 0) {
            // Replaces only links: a file of that name may be a program of the user.
            if (!S_ISLNK(found.st_mode))
                throw failure(error_kind::usage, cannot("make", link), "it exists and is no link");
            ::unlink(link.c_str());
        }
        if (::symlink(self.c_str(), link.c_str()) != 0) throw denied("make", link, errno);
        print(link + "\n");
    }
    return exit_code::done;
}

// The value of --color in a command line with an unknown verb, which is not parsed.
color_mode color_of(const command_line& line) {
    try {
        command_line options;
        for (std::size_t i = 0; i < line.before.size(); ++i) {
            if (line.before[i].starts_with("--color=")) options.before.push_back(line.before[i]);
            if (line.before[i] == "--color" && i + 1 < line.before.size()) {
                options.before.push_back("--color=" + line.before[i + 1]);
            }
        }
        return parse_command_line(options, nullptr).color;
    } catch (const failure&) {
        return color_mode::automatic;
    }
}

// Once, although a command may connect several times.
void print_config_note(const ipc::hello& greeting) {
    lifecycle::set_config_note(nullptr);
    const bool broken = greeting.config_state == name_of(lifecycle::config_state::broken);
    print_error(std::string(this_program.config_file) +
                (broken ? " has changed and cannot be used, see: " + command_text("check")
                        : " has changed, apply it with: " + command_text("reload")) +
                "\n");
}

struct settings {
    bool passes_status = false;  // see command
    bool json = false;           // known before the line is parsed, so that its failures are printed as JSON
    std::string verb;            // empty: none, or an unknown one
};

// The deadline of a request is reported for the command: users do not know the names of methods.
failure of_command(const failure& why, const std::string& verb) {
    const bool of_request =
        why.kind() == error_kind::timeout && why.tried().verb == "finish" && !verb.empty();
    return of_request ? why.of(cannot("finish", command_text(verb))) : why;
}

// -C DIR is as if the command were run in DIR. A directory that cannot be entered is reported where it is
// used.
void enter_directory(global_options& global) {
    if (!global.directory || ::chdir(global.directory->c_str()) != 0) return;
    char path[PATH_MAX];
    if (!global.directory->starts_with('/') && ::getcwd(path, sizeof path) != nullptr)
        global.directory = path;
}

exit_code run(const std::vector<std::string>& words, std::string_view given_verb, settings& how) {
    const command_line line = split_command_line(words, given_verb);
    how.json = std::find(line.before.begin(), line.before.end(), "--json") != line.before.end();
    const command* verb = line.verb.empty() ? nullptr : find_command(line.verb);
    how.passes_status = verb && verb->passes_status;
    if (verb) how.verb = line.verb;
    if (!verb) set_color_mode(color_of(line));
    if (!verb && !line.verb.empty()) {
        if (given_verb.empty()) try_external(line.verb, line);
        unknown_verb(line.verb);
    }
    parsed_line parsed = parse_command_line(line, verb);
    set_color_mode(parsed.color);
    if (parsed.version) {
        print(command_text(version_text) + " (protocol " + std::to_string(protocol_version) + ")\n");
        return exit_code::done;
    }
    if (parsed.install) return install_links(*parsed.install);
    if (verb && parsed.call.global.host) return static_cast<exit_code>(run_remotely(line, *verb, parsed));
    if (verb && !parsed.help) {
        // A deadline of no time at all is over before anything begins.
        if (verb->check) verb->check(parsed.call);
        if (verb->need != daemon_need::none && parsed.call.limit.expired()) {
            throw failure(error_kind::timeout, cannot("finish", command_text(line.verb)),
                          "the deadline is over");
        }
        enter_directory(parsed.call.global);
        require_project(*verb, parsed.call);
        // A task that is named is run as the file has it now; a command of the user's own leaves the file
        // alone.
        const bool applies_config = verb->takes_command && !parsed.call.operands.empty();
        if (verb->notes_config && !applies_config && !parsed.call.global.quiet && !parsed.call.global.json)
            lifecycle::set_config_note(print_config_note);
        return verb->run(parsed.call);
    }
    if (verb) return run_help(line.verb);
    if (parsed.help) return run_help("");
    if (how.json)
        throw failure(error_kind::usage, "cannot do anything without a verb",
                      command_text("help") + " lists the verbs");
    run_help("");
    return exit_code::usage;
}

}  // namespace

int dispatch(int argc, char** argv) {
    settings how;
    try {
        fill_standard_descriptors();
        // A write to a reader that is gone then fails with EPIPE.
        ::signal(SIGPIPE, SIG_IGN);
        const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
        if (const auto code = run_if_spawned(words)) return static_cast<int>(*code);
        if (const auto status = run_for_remote(words)) return *status;
        const exit_code code = run(words, argc > 0 ? verb_of_name(argv[0]) : "", how);
        flush();
        return static_cast<int>(code);
    } catch (const failure& why) {
        try {
            flush();
        } catch (const failure&) {
            // Standard output is lost too. Report the first failure.
        }
        print_failure(of_command(why, how.verb), how.json);
        return static_cast<int>(how.passes_status ? exit_code::run_failed : exit_code_of(why.kind()));
    } catch (const std::exception& error) {
        print_failure(failure(error_kind::internal, cannot("go on"), error.what()), how.json);
        return static_cast<int>(how.passes_status ? exit_code::run_failed : exit_code::failed);
    }
}

}  // namespace hob::cmd
