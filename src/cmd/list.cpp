#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/instances.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/forget.hpp"
#include "util/duration.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

std::string list_json(const std::vector<instance_view>& views) {
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? std::nullopt : std::optional(text);
    };
    util::json_array array;
    for (const auto& view : views) {
        util::json_object instance;
        instance.add("instance", view.where.key).add("root", text_or_null(view.where.root));
        instance.add("pid", view.pid > 0 ? std::optional(view.pid) : std::nullopt)
            .add("state", name_of(view.state));
        instance.add("version", text_or_null(view.version)).add("uptime_ms", view.uptime_ms);
        array.add(instance);
    }
    return std::move(array).text();
}

std::string list_table(const std::vector<instance_view>& views, const terminal& out) {
    table instances({{"", 0, false},
                     {"ROOT", 0, false},
                     {"STATE", 0, false},
                     {"PID", 3, true},
                     {"UP", 2, true},
                     {"VERSION", 4, false},
                     {"INSTANCE", 1, false}});
    for (const auto& view : views) {
        const state_look look = look_of_state(name_of(view.state), out.utf8);
        const std::string code(look.code);
        instances.add(
            {{std::string(look.mark), code},
             {printable(view.where.root.empty() ? "?" : view.where.root, out.utf8), ""},
             {std::string(name_of(view.state)), code},
             {view.pid > 0 ? std::to_string(view.pid) : "", ""},
             {view.uptime_ms ? util::format_duration(std::chrono::milliseconds(*view.uptime_ms)) : "", ""},
             {printable(view.version, out.utf8), ""},
             {view.where.key, "2"}});
    }
    return instances.render(out);
}

std::string size_text(std::uint64_t bytes) { return util::format_size(bytes >> 10 << 10); }

std::string name_of(const lifecycle::instance& where) {
    return printable(where.root.empty() ? where.key : where.root, err_terminal().utf8);
}

// One line for each; their directories may only be on a disk that is not mounted now.
std::string gone_text(const std::vector<lifecycle::instance>& gone) {
    std::string text;
    for (const auto& where : gone)
        text += fmt::format("  {}  {}\n", name_of(where), size_text(lifecycle::state_size(where)));
    return text;
}

// Without a person to ask, --yes is needed.
bool may_remove(const invocation& call, const std::vector<lifecycle::instance>& gone) {
    if (call.has("yes")) return true;
    const std::string_view are = gone.size() == 1 ? "directory is gone" : "directories are gone";
    const bool asks = ::isatty(STDIN_FILENO) == 1 && err_terminal().interactive && !call.global.json;
    if (!asks) {
        if (!call.global.json) print_error(fmt::format("{} {}:\n{}", gone.size(), are, gone_text(gone)));
        throw failure(error_kind::usage, cannot("remove", "", "their logs and history"),
                      "there is no terminal to ask on", command_text("list --prune --yes"));
    }
    print_error(fmt::format("{} {}:\n{}remove the logs and history, for ever? [y/N] ", gone.size(), are,
                            gone_text(gone)));
    std::array<char, 16> answer{};
    const ssize_t n = ::read(STDIN_FILENO, answer.data(), answer.size());
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

// Continues with the others when one cannot be removed.
exit_code prune(const invocation& call) {
    const auto gone = lifecycle::deleted_instances();
    const bool speaks = !call.global.json && !call.global.quiet;
    if (gone.empty()) {
        if (speaks)
            print_error("nothing to remove: the directories of all instances exist, or something runs\n");
        return exit_code::done;
    }
    if (!may_remove(call, gone)) return exit_code::failed;
    exit_code worst = exit_code::done;
    std::uint64_t freed = 0;
    for (const auto& where : gone) {
        try {
            const std::uint64_t size = lifecycle::state_size(where);
            const bool forgotten = lifecycle::forget_instance(where);
            if (forgotten) freed += size;
            if (speaks) {
                print_error(forgotten ? fmt::format("removed {}: {}\n", name_of(where), size_text(size))
                                      : fmt::format("kept {}: it is in use again\n", name_of(where)));
            }
        } catch (const failure& why) {
            print_failure(why, call.global.json);
            worst = exit_code::failed;
        }
    }
    if (speaks && gone.size() > 1) print_error(fmt::format("freed {}\n", size_text(freed)));
    return worst;
}

exit_code run_list(invocation& call) {
    const exit_code pruned = call.has("prune") ? prune(call) : exit_code::done;
    const auto views = probe_instances(call.limit, false);
    const bool people = !call.global.json;
    if (people && views.empty() && !call.global.quiet) print_error("no instances\n");
    print(people ? list_table(views, out_terminal()) : list_json(views) + "\n");
    return pruned;
}

void check_list(const invocation& call) {
    if (call.has("yes") && !call.has("prune")) {
        throw failure(error_kind::usage, cannot("use", "--yes"), "it goes with '--prune'",
                      command_text("list --prune --yes"));
    }
}

constexpr option_row options[] = {
    {"prune", "", "first forget the projects whose directories are gone, with their logs and history"},
    {"yes,y", "", "with --prune: do not ask"},
};

}  // namespace

extern constinit const command list_command;
constinit const command list_command{
    .name = "list",
    .summary = "list every instance of this user",
    .usage = "",
    .description =
        "Lists every instance of this user: its directory, the state and pid of its\n"
        "daemon, and its key. Nothing is started, and a daemon that does not answer\n"
        "does not hold up the others.",
    .need = daemon_need::looking,
    .options = options,
    .check = check_list,
    .run = run_list,
};

}  // namespace hob::cmd
