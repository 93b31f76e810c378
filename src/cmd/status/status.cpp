#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/instances.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_json.hpp"
#include "cmd/core/status_report.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/probe.hpp"
#include "limits.hpp"
#include "util/json_text.hpp"
#include "util/json_writer.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds redraw_interval{1000};  // ages on the screen grow; this asks the daemon for nothing

std::string params_for(const std::vector<std::string>& units) {
    if (units.empty()) return "{}";
    util::json_array names;
    for (const auto& unit : units)
        names.add(unit);
    util::json_object params;
    params.add("units", names);
    return std::move(params).text();
}

void show(const std::string& status, const invocation& call) {
    if (call.global.json) {
        print(status + "\n");
    } else {
        print(render_status(read_status(status), out_terminal(), call.global.verbose));
    }
}

// No daemon answers: shows what its files say.
exit_code show_silent(invocation& call, const lifecycle::probe_result& found) {
    if (!call.global.json && found.state == lifecycle::daemon_state::dead) {
        print(std::string(name_of(found.state)) + "\n");
    } else {
        const pid_t pid = found.state == lifecycle::daemon_state::dead ? 0 : found.pid;
        show(silent_status_json(call.where(), found.state, pid, found.page), call);
    }
    if (found.problem) throw *found.problem;
    return found.state == lifecycle::daemon_state::draining ? exit_code::done : exit_code::no_daemon;
}

exit_code show_all(invocation& call) {
    util::json_array array;
    std::string text;
    for (const auto& view : probe_instances(call.limit, true)) {
        if (call.global.json) {
            array.add(util::raw_json{view.status_json});
        } else {
            if (!text.empty()) text += '\n';
            text += render_status(read_status(view.status_json), out_terminal(), call.global.verbose);
        }
    }
    print(call.global.json ? std::move(array).text() + "\n" : text);
    return exit_code::done;
}

// Draws over the old frame instead of clearing it, so that nothing flickers.
void redraw(const std::string& frame) {
    std::string text = "\x1b[H";
    for (const char c : frame) {
        if (c == '\n') text += "\x1b[K";
        text += c;
    }
    print(text + "\x1b[J");
}

class watcher {
public:
    watcher(invocation& call, ipc::client& daemon) : call_(call), daemon_(daemon) {}

    exit_code run() {
        interrupt_is_success();
        const auto members = util::json_object_members(daemon_.call("hob.subscribe", "{}", call_.limit));
        if (!members)
            throw failure(error_kind::internal, cannot("read the daemon's answer"), "it is no object");
        if (screen()) print("\x1b[2J");
        while (update() && draw() && wait_for_change()) {
        }
        return exit_code::done;
    }

private:
    bool screen() const { return !call_.global.json && out_terminal().drawable; }

    // Asks for the status. False: the daemon has ended.
    bool update() {
        try {
            status_ = daemon_.call("hob.status", params_for(call_.operands), call_.limit);
        } catch (const ipc::not_executed&) {
            return report_end();
        } catch (const failure& why) {
            if (why.kind() != error_kind::no_daemon) throw;
            return report_end();
        }
        updated_ = steady_clock::now();
        return true;
    }

    bool report_end() const {
        if (!call_.global.json && !call_.global.quiet) print_error("hob: the daemon has ended\n");
        return false;
    }

    bool draw() {
        if (call_.global.json) {
            print(status_ + "\n");
        } else {
            status_view view = read_status(status_);
            const auto age = std::chrono::duration_cast<milliseconds>(steady_clock::now() - updated_);
            if (view.uptime_ms) *view.uptime_ms += age.count();
            const std::string frame = render_status(view, out_terminal(), call_.global.verbose);
            if (screen()) {
                redraw(frame);
            } else {
                print(frame + "\n");
            }
        }
        return flush();
    }

    // Waits for an event. False: the watch is over.
    bool wait_for_change() {
        for (;;) {
            ipc::incoming message;
            const auto tick = screen() ? util::deadline::in(redraw_interval) : util::deadline::never();
            switch (follow(daemon_, message, call_.limit, tick)) {
                case followed::message:
                    return true;
                case followed::reader_gone:
                    return false;
                case followed::daemon_gone:
                    return report_end();
                case followed::tick:
                    if (!draw()) return false;
            }
        }
    }

    invocation& call_;
    ipc::client& daemon_;
    std::string status_;
    steady_clock::time_point updated_;
};

exit_code run_status(invocation& call) {
    const bool all = call.has("all");
    if (all && (call.has("watch") || !call.operands.empty())) {
        throw failure(error_kind::usage, "cannot use '--all' with units or '--watch'");
    }
    if (all) return show_all(call);
    const std::string params = params_for(call.operands);
    std::optional<ipc::early_request> early;
    // Harmless, so it may be sent before the greeting is read. A watcher subscribes first.
    if (!call.has("watch")) early = ipc::early_request{"hob.status", params};
    auto found = lifecycle::probe(call.where(), call.limit, limits::greeting_timeout, early);
    const bool unknown =
        found.state == lifecycle::daemon_state::denied || found.state == lifecycle::daemon_state::foreign;
    if (unknown && found.problem) throw *found.problem;
    if (!found.connection) return show_silent(call, found);
    ipc::client& daemon = *found.connection;
    try {
        if (call.has("watch")) return watcher(call, daemon).run();
        show(daemon.call("hob.status", params, call.limit_or(limits::request_timeout)), call);
        return exit_code::done;
    } catch (const ipc::not_executed&) {  // it ended between its greeting and the request
        lifecycle::probe_result gone;
        return show_silent(call, gone);
    }
}

// {"units":["name",…]?}
std::vector<std::string> units_of(const ipc::request& request) {
    const auto malformed = [](const char* what) {
        return failure(error_kind::usage, cannot("use the params of", "hob.status"), what);
    };
    std::vector<std::string> names;
    if (request.params.empty()) return names;
    const auto members = util::json_object_members(request.params);
    if (!members) throw malformed("not an object");
    for (const auto& member : *members) {
        if (member.key != "units") throw malformed("an unknown member");
        const auto elements = util::json_array_elements(member.value);
        if (!elements) throw malformed("units is not an array");
        for (const auto element : *elements) {
            auto name = util::json_unquote(element);
            if (!name) throw malformed("units holds something else than names");
            names.push_back(std::move(*name));
        }
    }
    return names;
}

std::string answer_status(handler_context context, ipc::session&, const ipc::request& request) {
    return status_report(context.daemon, units_of(request));
}

constexpr option_row options[] = {
    {"all", "", "every instance of this user"},
    {"watch", "", "stay, and show each change as it happens"},
};

constexpr method_row methods[] = {
    {.name = "hob.status", .handler = answer_status, .while_draining = true},
};

}  // namespace

extern constinit const command status_command;
constinit const command status_command{
    .name = "status",
    .summary = "show the daemon and its units",
    .usage = "[UNIT...]",
    .description =
        "Shows the state of the daemon and of the named units, or of all units. It never\n"
        "starts a daemon: when there is none, it prints \"stopped\" and exits 3.",
    .need = daemon_need::looking,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .run = run_status,
    .methods = methods,
};

}  // namespace hob::cmd
