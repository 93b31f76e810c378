#include <fmt/format.h>

#include <exception>
#include <optional>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "ipc/status_page.hpp"
#include "lifecycle/instance.hpp"
#include "util/json/json_writer.hpp"
#include "util/proc.hpp"

namespace hob::cmd {
namespace {

// The page of a live daemon. The page of a killed daemon stays behind, so the process is checked.
std::optional<ipc::page_content> live_page(invocation& call) {
    try {
        const auto page = ipc::read_status_page(call.where().page_path());
        if (!page) return std::nullopt;
        const auto process = util::read_proc_stat(page->pid);
        const bool alive = process && process->start_time == page->start_time && !util::has_ended(*process);
        return alive ? page : std::nullopt;
    } catch (const std::exception&) {  // never an error in a shell prompt
        return std::nullopt;
    }
}

std::string segment_of(const ipc::page_content& page) {
    if (page.draining) return "hob~";
    std::string segment = "hob";
    if (page.units_up > 0) segment += fmt::format(":{}", page.units_up);
    if (page.units_failed > 0) segment += fmt::format("!{}", page.units_failed);
    return segment;
}

exit_code run_prompt(invocation& call) {
    const auto page = live_page(call);
    const std::string segment = page ? segment_of(*page) : "";
    if (call.global.json) {
        const ipc::page_content content = page.value_or(ipc::page_content{});
        const char* state = !page ? "stopped" : page->draining ? "draining" : "running";
        util::json_object result;
        result.add("segment", segment).add("state", state);
        result.add("up", content.units_up).add("failed", content.units_failed);
        result.add("total", content.units_total);
        print(std::move(result).text() + "\n");
    } else if (!segment.empty()) {
        print(segment + "\n");
    }
    return exit_code::done;
}

}  // namespace

extern constinit const command prompt_command;
constinit const command prompt_command{
    .name = "prompt",
    .summary = "print a short segment for a shell prompt",
    .usage = "",
    .description =
        "Prints hob:3 when three units are up, hob:3!1 when one more has failed, hob when\n"
        "none is up, hob~ when the daemon is ending, and nothing without a daemon. It\n"
        "reads only the status page and never prints an error.",
    .need = daemon_need::looking,
    .run = run_prompt,
};

}  // namespace hob::cmd
