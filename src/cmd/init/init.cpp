#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/table.hpp"
#include "cmd/init/document.hpp"
#include "identity.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

failure cannot_write(const std::string& path, const std::string& reason, const std::string& hint = {}) {
    return {error_kind::config, cannot("write", path), reason, hint};
}

// Fails with EEXIST if `to` exists. Some file systems support only one of the two calls, and a filter may
// refuse the first.
bool rename_without_replacing(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    return errno != EEXIST && ::link(from.c_str(), to.c_str()) == 0;
}

// Creates the file atomically: writes a temporary file beside it and renames it.
void install_file(const std::string& path, const init_document& content, bool replace) {
    const std::string temporary = fmt::format("{}.new-{}", path, ::getpid());
    ::unlink(temporary.c_str());
    const util::unique_fd fd =
        util::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, content.mode);
    if (!fd) throw denied("write", path, errno);
    const bool written = util::write_all(fd.get(), content.text) && ::fsync(fd.get()) == 0;
    const bool installed = written && (replace ? ::rename(temporary.c_str(), path.c_str()) == 0
                                               : rename_without_replacing(temporary, path));
    const int error = errno;
    ::unlink(temporary.c_str());  // still there after a failure or a link
    if (installed) return;
    if (error == EEXIST) throw cannot_write(path, "it exists already", "hob init --force replaces it");
    throw denied("write", path, error);
}

// "web and worker"
std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    return text;
}

std::string next_steps(const init_document& content) {
    std::vector<std::string> services, tasks, workers;
    for (const auto& unit : content.units) {
        if (unit.kind == unit::unit_kind::task) tasks.push_back(unit.name);
        if (unit.kind == unit::unit_kind::worker) workers.push_back(unit.name);
        if (unit.kind == unit::unit_kind::service && unit.enabled) services.push_back(unit.name);
    }
    std::string text = "next: read hob.toml";
    if (!services.empty()) text += fmt::format("; `hob start` starts {}", listed(services));
    if (!tasks.empty()) text += fmt::format("; `hob run {}` runs a task", tasks.front());
    if (services.empty() && tasks.empty() && !workers.empty())
        text += fmt::format("; `hob call --list {}` starts a worker", workers.front());
    return text + "\n";
}

void print_units(const init_document& content) {
    const bool utf8 = out_terminal().utf8;
    for (const auto& file : content.files) {
        std::string units;
        for (const auto& unit : content.units)
            if (unit.file == file)
                units +=
                    fmt::format("{}{} {}", units.empty() ? "" : ", ", unit::name_of(unit.kind), unit.name);
        print(fmt::format("  {}: {}\n", printable(file, utf8), units.empty() ? "nothing" : units));
    }
    if (content.left_out > 0)
        print(fmt::format("  {} of their entries are left out: comments in hob.toml say why\n",
                          content.left_out));
}

void print_result(const invocation& call, const std::string& path, const init_document& content,
                  bool replaced) {
    if (call.global.json) {
        util::json_array units;
        for (const auto& unit : content.units) {
            util::json_object entry;
            units.add(
                entry.add("name", unit.name).add("kind", unit::name_of(unit.kind)).add("from", unit.file));
        }
        util::json_object result;
        print(result.add("file", path).add("replaced", replaced).add("units", units).text() + "\n");
    } else if (!call.global.quiet) {
        print(fmt::format("{} {}\n", replaced ? "replaced" : "wrote", printable(path, out_terminal().utf8)));
        print_units(content);
        if (!content.units.empty()) {
            print(next_steps(content));
        } else if (out_terminal().interactive) {
            print("try: hob call echo hello\n");
        }
    }
}

exit_code run_init(invocation& call) {
    const bool to_stdout = call.has("stdout") || (!call.operands.empty() && call.operands.front() == "-");
    if (!call.operands.empty() && !to_stdout) {
        throw failure(error_kind::usage, cannot("write", call.operands.front()), "hob init writes ./hob.toml",
                      "-C DIR chooses another directory, - prints it");
    }
    const init_document content = call.has("plain") ? plain_document() : document_for(directory_of(call));
    if (to_stdout) {
        print(content.text);
        return exit_code::done;
    }
    const std::string file = this_program.config_file;
    const std::string path = call.global.directory ? *call.global.directory + "/" + file : file;
    struct stat existing {};
    const bool replace = call.has("force") && ::lstat(path.c_str(), &existing) == 0;
    install_file(path, content, replace);
    print_result(call, path, content, replace);
    return exit_code::done;
}

constexpr std::array options{
    option_row{"force,f", "", "replace an existing hob.toml"},
    option_row{"stdout", "", "print it instead of writing a file"},
    option_row{"plain", "", "the template, whatever the directory has"},
};

}  // namespace

extern constinit const command init_command;
constinit const command init_command{
    .name = "init",
    .summary = "write a hob.toml with units that other files suggest",
    .usage = "[-]",
    .description =
        "Writes hob.toml in the current directory, with a unit for each entry of the\n"
        "Procfile, compose.yaml, package.json, justfile, Makefile, pyproject.toml,\n"
        "CMakeLists.txt, mcp.json or launch.json that it finds there. Nothing is\n"
        "executed. In a directory with none of these it writes a template: one tiny\n"
        "worker that runs anywhere, and more as comments. An existing file is kept.\n"
        "With - the text is printed instead.",
    .need = daemon_need::looking,
    .operands_max = 1,
    .options = options,
    .run = run_init,
};

}  // namespace hob::cmd
