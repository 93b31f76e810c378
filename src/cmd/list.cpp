#include <chrono>
#include <optional>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/instances.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
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

// Continues with the others when one cannot be removed.
exit_code prune(const invocation& call) {
    exit_code worst = exit_code::done;
    for (const auto& deleted : lifecycle::deleted_instances()) {
        const std::string& name = deleted.root.empty() ? deleted.key : deleted.root;
        try {
            const bool forgotten = lifecycle::forget_instance(deleted);
            if (forgotten && !call.global.json && !call.global.quiet)
                print_error(fmt::format("forgot {}\n", printable(name, err_terminal().utf8)));
        } catch (const failure& why) {
            print_failure(why, call.global.json);
            worst = exit_code::failed;
        }
    }
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

constexpr option_row options[] = {
    {"prune", "", "first forget the projects that were deleted, with their logs and history"},
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
    .run = run_list,
};

}  // namespace hob::cmd
