#include "identity.hpp"

namespace hob {
namespace {

constexpr const char* not_inherited[] = {"HOB_INSTANCE", "HOB_UNIT", "HOB_RUN", "TZ"};

}  // namespace

constinit const identity this_program{
    .name = "hob",
    .purpose = "keeps workers warm, one daemon a project",
    .config_file = "hob.toml",
    .database_file = "hob.db",
    .page_magic = "hobpage\n",
    .variables =
        {
            .instance = "HOB_INSTANCE",
            .runtime_dir = "HOB_RUNTIME_DIR",
            .state_dir = "HOB_STATE_DIR",
            .start_timeout = "HOB_START_TIMEOUT",
            .log_levels = "HOB_LOG",
            .remote_shell = "HOB_SSH",
            .unit = "HOB_UNIT",
            .run = "HOB_RUN",
            .keeper = "HOB_KEEPER",
        },
    .not_inherited = not_inherited,
    .methods =
        {
            .hello = "hob.hello",
            .ping = "hob.ping",
            .status = "hob.status",
            .subscribe = "hob.subscribe",
            .shutdown = "hob.shutdown",
            .event = "hob.event",
            .lagged = "hob.lagged",
            .farewell = "hob.farewell",
        },
};

std::string command_text(std::string_view arguments) {
    return std::string(this_program.name).append(" ").append(arguments);
}

}  // namespace hob
