#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/table.hpp"
#include "cmd/export/writers.hpp"
#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

struct export_format {
    std::string_view name;
    export_result (*write)(const export_request&);
};

constexpr std::array formats{
    export_format{"systemd", export_systemd},
    export_format{"procfile", export_procfile},
    export_format{"crontab", export_crontab},
    export_format{"kubernetes", export_kubernetes},
};

const export_format& format_of(const invocation& call) {
    const std::string& name = call.operands.front();
    const auto found =
        std::find_if(formats.begin(), formats.end(), [&](const auto& format) { return format.name == name; });
    if (found != formats.end()) return *found;
    throw failure(error_kind::usage, cannot("export to", name), "it is no format",
                  "the formats are systemd, procfile, crontab and kubernetes");
}

void check(const invocation& call) {
    const std::string_view format = format_of(call).name;
    const auto refuse = [&](std::string_view option, std::string_view only) {
        if (call.has(option) && format != only)
            throw failure(error_kind::usage, cannot("use", fmt::format("--{}", option)),
                          fmt::format("it is for {}", only));
    };
    refuse("image", "kubernetes");
    refuse("system", "systemd");
    refuse("user", "systemd");
    if (call.has("system") && call.has("user"))
        throw failure(error_kind::usage, cannot("use", "--system"), "there is a --user, too");
    if (format == "kubernetes" && call.value("image").value_or("").empty())
        throw failure(error_kind::usage, cannot("export to", format), "it needs an image",
                      "hob export kubernetes --image registry.example.org/app:1");
}

// "app" of the instance "app-0123456789ab".
std::string project_name(const lifecycle::instance& where) {
    const auto dash = where.key.rfind('-');
    const bool hashed = dash != std::string::npos && dash > 0 && where.key.size() - dash == 13 &&
                        where.key.find_first_not_of("0123456789abcdef", dash + 1) == std::string::npos;
    return hashed ? where.key.substr(0, dash) : where.key;
}

std::string program_in_path(const std::string& program) {
    const char* path = ::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string file = std::string(rest.substr(0, end)) + "/" + program;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        struct stat found {};
        const bool executable = file.starts_with('/') && ::stat(file.c_str(), &found) == 0 &&
                                S_ISREG(found.st_mode) && ::access(file.c_str(), X_OK) == 0;
        if (executable) return file;
    }
    return {};
}

// Those that are named, or all that are enabled.
std::vector<const unit::unit_spec*> chosen_units(invocation& call, const unit::config& config) {
    std::vector<const unit::unit_spec*> units;
    const std::vector<std::string> names(call.operands.begin() + 1, call.operands.end());
    if (names.empty()) {
        for (const auto& unit : config.units)
            if (unit.enabled) units.push_back(&unit);
        return units;
    }
    for (const auto& name : unit::names_meant(config.source_path, names, directory_of(call))) {
        const auto* unit = config.find(name);
        if (unit == nullptr)
            throw failure(error_kind::unit_unknown, cannot("export", name), "hob.toml has no such unit");
        if (std::find(units.begin(), units.end(), unit) == units.end()) units.push_back(unit);
    }
    return units;
}

std::string path_in(const std::string& directory, const std::string& name) { return directory + "/" + name; }

void write_file(const std::string& path, const std::string& text, bool replace) {
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | (replace ? O_TRUNC : O_EXCL);
    const util::unique_fd fd = util::open_file(path, flags, 0644);
    if (!fd && errno == EEXIST)
        throw failure(error_kind::config, cannot("write", path), "it exists already", "--force replaces it");
    if (!fd || !util::write_all(fd.get(), text)) throw denied("write", path, errno);
}

void write_files(const invocation& call, std::string directory, const export_result& result) {
    if (call.global.directory && !directory.starts_with('/'))
        directory = path_in(*call.global.directory, directory);
    if (::mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) throw denied("make", directory, errno);
    for (const auto& file : result.files) {
        const std::string path = path_in(directory, file.name);
        write_file(path, file.text, call.has("force"));
        if (!call.global.quiet) print(fmt::format("wrote {}\n", printable(path, out_terminal().utf8)));
    }
}

void print_files(const export_result& result) {
    for (const auto& file : result.files) {
        if (result.files.size() > 1) print(fmt::format("# --- {}\n", file.name));
        print(file.text);
        if (result.files.size() > 1 && &file != &result.files.back()) print("\n");
    }
}

void print_json(const export_result& result) {
    util::json_array files, notes;
    for (const auto& file : result.files) {
        util::json_object entry;
        files.add(entry.add("name", file.name).add("text", file.text));
    }
    for (const auto& note : result.notes) {
        util::json_object entry;
        notes.add(entry.add("unit", note.unit).add("text", note.text));
    }
    util::json_object all;
    print(all.add("files", files).add("notes", notes).text() + "\n");
}

unit::config read_config(const lifecycle::instance& where) {
    return unit::load_config(where.config_path, ::geteuid(), where.root);
}

exit_code run_export(invocation& call) {
    const export_format& format = format_of(call);
    const auto& where = call.where();
    const unit::config config = read_config(where);
    export_request request{config, chosen_units(call, config), where.root, project_name(where), {}, false,
                           {}};
    request.image = call.value("image").value_or("");
    request.for_system = call.has("system");
    request.find_program = program_in_path;
    const auto sources = unit::glance_at_sources(config.source_path);
    if (sources) request.sources = &*sources;
    const export_result result = format.write(request);
    if (!call.global.quiet && !call.global.json) {
        for (const auto& note : result.notes)
            print_error(fmt::format("hob: '{}': {}\n", note.unit, printable(note.text, err_terminal().utf8)));
    }
    if (result.files.empty())
        throw failure(error_kind::config, cannot("export to", format.name), "no unit can be exported");
    const auto directory = call.value("output");
    if (directory) write_files(call, *directory, result);
    if (call.global.json) {
        print_json(result);
    } else if (!directory) {
        print_files(result);
    }
    return exit_code::done;
}

constexpr std::array options{
    option_row{"output,o", "DIR", "write files into this directory instead of printing them"},
    option_row{"force,f", "", "replace files that exist"},
    option_row{"image", "IMAGE", "kubernetes: the image of the containers"},
    option_row{"user", "", "systemd: for the units of a user (the default)"},
    option_row{"system", "", "systemd: for the units of the system"},
};

}  // namespace

extern constinit const command export_command;
constinit const command export_command{
    .name = "export",
    .summary = "print units as files of systemd, cron or Kubernetes",
    .usage = "systemd|procfile|crontab|kubernetes [UNIT...]",
    .description =
        "Prints the units of hob.toml in the format of another program: services and\n"
        "timers of systemd, a Procfile, a crontab, or Deployments, Jobs and CronJobs of\n"
        "Kubernetes. Without units it takes all that are enabled. What cannot be\n"
        "carried over is named, here and in comments. Values of variables are never\n"
        "printed: where they belong is named instead.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .first_words = "systemd procfile crontab kubernetes",
    .operands_min = 1,
    .operands_max = -1,
    .options = options,
    .check = check,
    .run = run_export,
};

}  // namespace hob::cmd
