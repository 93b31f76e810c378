#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "cmd/command.hpp"
#include "cmd/output.hpp"
#include "cmd/table.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

struct target {
    std::string path;
    std::string cwd;  // of units without one; empty: the file's directory
};

target find_target(invocation& call) {
    if (call.operands.empty()) return {call.where().config_path, call.where().root};
    const std::string& file = call.operands.front();
    if (file.empty()) throw failure(error_kind::usage, "cannot check '': the name is empty");
    const bool elsewhere = call.global.directory && !file.starts_with('/');
    return {elsewhere ? *call.global.directory + "/" + file : file, {}};
}

std::string to_json(const std::string& path, const unit::config& checked) {
    std::string units;
    for (const auto& each : checked.units) {
        if (!units.empty()) units += ',';
        units += fmt::format(R"({{"name":{},"kind":"{}"}})", util::json_quote(each.name),
                             unit::name_of(each.kind));
    }
    std::string warnings;
    for (const auto& warning : checked.warnings) {
        if (!warnings.empty()) warnings += ',';
        warnings += util::json_quote(warning);
    }
    return fmt::format("{{\"file\":{},\"ok\":true,\"units\":[{}],\"warnings\":[{}]}}\n",
                       util::json_quote(path), units, warnings);
}

exit_code run_check(invocation& call) {
    const auto [path, cwd] = find_target(call);
    const unit::config checked = unit::load_config(path, ::geteuid(), cwd);
    if (call.global.json) {
        print(to_json(path, checked));
        return exit_code::done;
    }
    for (const auto& warning : checked.warnings) {
        print_error(fmt::format("hob: warning: {}\n", printable(warning, err_terminal().utf8)));
    }
    const std::size_t count = checked.units.size();
    if (!call.global.quiet)
        print(fmt::format("{}: ok, {} unit{}\n", printable(path, out_terminal().utf8), count,
                          count == 1 ? "" : "s"));
    return exit_code::done;
}

}  // namespace

extern constinit const command check_command;
constinit const command check_command{
    .name = "check",
    .summary = "validate a configuration, starting nothing",
    .usage = "[FILE]",
    .description =
        "Reads FILE, by default the hob.toml of this project, as a daemon would, and\n"
        "prints the first error by its line and column, or the number of units.\n"
        "Warnings go to standard error. Nothing is started or executed.",
    .need = daemon_need::looking,
    .completes = operand_kind::file,
    .operands_max = 1,
    .run = run_check,
};

}  // namespace hob::cmd
