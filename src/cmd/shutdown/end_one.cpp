#include "cmd/shutdown/end_one.hpp"

#include <fmt/format.h>

#include "cmd/core/bad_ends.hpp"
#include "cmd/core/output.hpp"
#include "lifecycle/instance.hpp"
#include "limits.hpp"

namespace hob::cmd {

lifecycle::end_options end_options_of(const invocation& call) {
    lifecycle::end_options end;
    end.now = call.has("now");
    // Every daemon has its own shutdown_timeout, which is at most this.
    end.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    return end;
}

util::json_object ended_json(const std::string& key, std::optional<pid_t> pid, const std::string& units) {
    util::json_object ended;
    ended.add("instance", key).add("state", "stopped").add("pid", pid);
    if (!units.empty()) ended.add("units", util::raw_json{units});
    return ended;
}

exit_code end_one(invocation& call) {
    const auto [pid, units] = lifecycle::end_daemon(call.where(), end_options_of(call));
    if (call.global.json) {
        print(ended_json(call.where().key, pid, units).text() + "\n");
    } else if (!call.global.quiet) {
        print(pid ? fmt::format("the daemon has ended (pid {})\n", *pid)
                  : std::string("no daemon was running\n"));
    }
    return tell_bad_ends(units, call.global) ? exit_code::failed : exit_code::done;
}

}  // namespace hob::cmd
