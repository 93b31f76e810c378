#include "cmd/core/command.hpp"
#include "cmd/shutdown/end_one.hpp"

namespace hob::cmd {
namespace {

constexpr option_row options[] = {
    {"now", "", "kill the units at once, and the daemon if it is wedged"},
};

}  // namespace

extern constinit const command down_command{
    .name = "down",
    .summary = "stop all units and end the daemon",
    .usage = "",
    .description =
        "The same as `hob shutdown`: lets calls and runs in flight finish, stops the\n"
        "units and ends the daemon. Returns when it is gone. Without a daemon it\n"
        "succeeds at once.",
    .need = daemon_need::looking,
    .options = options,
    .run = end_one,
};

}  // namespace hob::cmd
