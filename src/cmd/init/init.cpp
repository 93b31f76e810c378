#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/init/template.hpp"
#include "identity.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr unsigned file_mode = 0644;  // less the umask; hob refuses a file that everyone may write

failure cannot_write(const std::string& path, const std::string& reason, const std::string& hint = {}) {
    return {error_kind::config, cannot("write", path), reason, hint};
}

// The schema of an installed hob, PREFIX/share/hob/hob.schema.json. A hob that is not installed names that of
// a package.
std::string schema_path() {
    std::error_code ignored;
    const auto binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const auto beside = binary.parent_path().parent_path() / "share/hob/hob.schema.json";
    return std::filesystem::exists(beside, ignored) ? beside.string() : "/usr/share/hob/hob.schema.json";
}

// The first line is for the TOML language servers of editors.
std::string file_text() { return fmt::format("#:schema {}\n{}", schema_path(), init_template); }

// Fails with EEXIST if `to` exists. Some file systems support only one of the two calls, and a filter may
// refuse the first.
bool rename_without_replacing(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    return errno != EEXIST && ::link(from.c_str(), to.c_str()) == 0;
}

// Creates the file atomically: writes a temporary file beside it and renames it.
void install_file(const std::string& path, bool replace) {
    const std::string temporary = fmt::format("{}.new-{}", path, ::getpid());
    ::unlink(temporary.c_str());
    const util::unique_fd fd =
        util::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode);
    if (!fd) throw denied("write", path, errno);
    const bool written = util::write_all(fd.get(), file_text()) && ::fsync(fd.get()) == 0;
    const bool installed = written && (replace ? ::rename(temporary.c_str(), path.c_str()) == 0
                                               : rename_without_replacing(temporary, path));
    const int error = errno;
    ::unlink(temporary.c_str());  // still there after a failure or a link
    if (installed) return;
    if (error == EEXIST) throw cannot_write(path, "it exists already", "hob init --force replaces it");
    throw denied("write", path, error);
}

void print_result(const invocation& call, const std::string& path, bool replaced) {
    if (call.global.json) {
        util::json_object result;
        print(result.add("file", path).add("replaced", replaced).text() + "\n");
    } else if (!call.global.quiet) {
        print(fmt::format("{} {}\n", replaced ? "replaced" : "wrote", printable(path, out_terminal().utf8)));
        if (out_terminal().interactive) print("try: hob call echo hello\n");
    }
}

exit_code run_init(invocation& call) {
    const bool to_stdout = call.has("stdout") || (!call.operands.empty() && call.operands.front() == "-");
    if (!call.operands.empty() && !to_stdout) {
        throw failure(error_kind::usage, cannot("write", call.operands.front()), "hob init writes ./hob.toml",
                      "-C DIR chooses another directory, - prints it");
    }
    if (to_stdout) {
        print(file_text());
        return exit_code::done;
    }
    const std::string file = this_program.config_file;
    const std::string path = call.global.directory ? *call.global.directory + "/" + file : file;
    struct stat existing {};
    const bool replace = call.has("force") && ::lstat(path.c_str(), &existing) == 0;
    install_file(path, replace);
    print_result(call, path, replace);
    return exit_code::done;
}

constexpr std::array options{
    option_row{"force,f", "", "replace an existing hob.toml"},
    option_row{"stdout", "", "print it instead of writing a file"},
};

}  // namespace

extern constinit const command init_command;
constinit const command init_command{
    .name = "init",
    .summary = "write a commented hob.toml",
    .usage = "[-]",
    .description =
        "Writes hob.toml in the current directory: one tiny worker that runs anywhere,\n"
        "and a worker, a service and a task as comments to begin from. An existing file\n"
        "is kept. With - the text is printed instead.",
    .need = daemon_need::looking,
    .operands_max = 1,
    .options = options,
    .run = run_init,
};

}  // namespace hob::cmd
