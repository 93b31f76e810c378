#include "unit/process/launch_failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "error.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

[[noreturn]] void throw_not_found(const launch_names& names, const launch_report& report) {
    if (report.candidate >= 0) {
        const auto& path = names.candidates.paths.at(static_cast<std::size_t>(report.candidate));
        fail_to_start(names.unit, fmt::format("its program '{}' is not executable", path), {},
                      exit_not_executable);
    }
    fail_to_start(
        names.unit, fmt::format("its program '{}' is not in PATH", names.program),
        fmt::format("PATH is '{}'; `hob restart {}` takes over yours", names.candidates.searched, names.unit),
        exit_no_program);
}

}  // namespace

void fail_to_start(const std::string& unit, const std::string& reason, std::string hint, int exit) {
    throw failure(error_kind::unit_failed, cannot("start", unit), reason, std::move(hint),
                  exit == 0 ? std::string() : util::json_object().add("exit", exit).text());
}

void throw_launch_failure(const launch_names& names, const launch_report& report) {
    const std::string why = errno_text(report.error);
    if (report.event == launch_event::not_set_up)
        fail_to_start(names.unit, "its process could not be set up: " + why);
    if (report.event == launch_event::no_directory)
        fail_to_start(names.unit, fmt::format("its directory '{}': {}", names.cwd, why));
    if (report.event == launch_event::not_found) throw_not_found(names, report);
    const auto& program = names.candidates.paths.at(static_cast<std::size_t>(report.candidate));
    if (report.event == launch_event::no_interpreter) {
        fail_to_start(names.unit, fmt::format("the interpreter that '{}' names does not exist", program), {},
                      exit_no_program);
    }
    std::string hint;
    if (report.error == ENOEXEC) hint = "a script needs a first line such as #!/bin/sh";
    if (report.error == ETXTBSY) hint = "something is writing to it: start it again once that is done";
    fail_to_start(names.unit, fmt::format("its program '{}': {}", program, why), std::move(hint),
                  report.error == ENOENT ? exit_no_program : exit_not_executable);
}

}  // namespace hob::unit
