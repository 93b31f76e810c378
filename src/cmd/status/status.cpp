#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/instances.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/status_json.hpp"
#include "cmd/core/status_report.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "cmd/status/key_input.hpp"
#include "cmd/status/offline_units.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

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

// `daemon`: the pid of the daemon that has answered, or 0.
void show(const std::string& status, const invocation& call, pid_t daemon = 0) {
    if (call.global.json) {
        print(status + "\n");
    } else {
        status_view view = read_status(status);
        add_namespaces_apart(view, daemon);
        print(render_status(view, out_terminal(), call.global.verbose));
    }
}

// Without a daemon: the units of the file, and which services were up.
exit_code show_stopped(invocation& call) {
    const lifecycle::instance& where = call.where();
    require_known_instance(call);
    const offline_units units = read_offline_units(where, call.operands, directory_of(call));
    const std::string status = stopped_status_json(where, units.config_state, units.json);
    if (call.global.json) {
        print(status + "\n");
        return exit_code::no_daemon;
    }
    const terminal out = out_terminal();
    std::string text = "stopped\n";
    if (!units.config_state.empty()) text += "hob.toml cannot be used, see: hob check\n";
    if (!units.were_up.empty()) {
        text += printable(fmt::format("up when the daemon ended: {}; hob daemon starts them again",
                                      fmt::join(units.were_up, ", ")),
                          out.utf8) +
                "\n";
    }
    const auto rows = read_units(status);
    if (!rows.empty()) text += "\n" + render_units(rows, out);
    print(text);
    return exit_code::no_daemon;
}

// No daemon answers: shows what its files say.
exit_code show_silent(invocation& call, const lifecycle::probe_result& found) {
    if (found.state == lifecycle::daemon_state::dead) return show_stopped(call);
    show(silent_status_json(call.where(), found.state, found.pid, found.page), call);
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
    watcher(invocation& call, ipc::client daemon)
        : call_(call), daemon_(std::move(daemon)), lost_(call.where()) {}

    exit_code run() {
        interrupt_is_success();
        if (screen()) {
            print("\x1b[2J");
            keys_.emplace();
        }
        while (update() && draw() && wait_for_change()) {
        }
        return exit_code::done;
    }

private:
    bool screen() const { return !call_.global.json && out_terminal().drawable; }

    // Asks for the status, the next daemon if this one has died. False: none is left.
    bool update() {
        while (!ask()) {
            if (daemon_.told_of_end()) return report_end();
            lost_.add();
            lifecycle::next_options options;
            options.limit = call_.limit;
            auto next = lifecycle::connect_next(call_.where(), options);
            if (!next) return report_end();
            daemon_ = std::move(*next);
            subscribed_ = false;
        }
        updated_ = steady_clock::now();
        return true;
    }

    bool ask() {
        try {
            if (!subscribed_) daemon_.call(this_program.methods.subscribe, "{}", call_.limit);
            subscribed_ = true;
            status_ = daemon_.call(this_program.methods.status, params_for(call_.operands), call_.limit);
            return true;
        } catch (const ipc::not_executed&) {
            return false;
        } catch (const failure& why) {
            if (why.kind() != error_kind::no_daemon && why.kind() != error_kind::daemon_lost) throw;
            return false;
        }
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
            if (screen()) {
                redraw(render_status(view, out_terminal(), call_.global.verbose, widths_));
            } else {
                print(render_status(view, out_terminal(), call_.global.verbose) + "\n");
            }
        }
        return flush();
    }

    // Waits for an event, or the end of the daemon. False: the watch is over.
    bool wait_for_change() {
        for (;;) {
            ipc::incoming message;
            const auto tick = screen() ? util::deadline::in(redraw_interval) : util::deadline::never();
            switch (follow(daemon_, message, call_.limit, tick, keys_ ? keys_->descriptor() : -1)) {
                case followed::message:
                case followed::daemon_gone:
                    return true;
                case followed::reader_gone:
                    return false;
                case followed::tick:
                    if (!draw()) return false;
                    break;
                case followed::key:
                    if (char key = 0; keys_->read_key(key) && (key == 'q' || key == 'Q')) return false;
            }
        }
    }

    invocation& call_;
    ipc::client daemon_;
    lifecycle::lost_daemons lost_;
    bool subscribed_ = false;
    std::string status_;
    steady_clock::time_point updated_;
    column_widths widths_;  // on a screen: columns do not become narrower
    std::optional<key_input> keys_;
};

// Of named units: whether all of them are well.
exit_code exit_of(const std::string& status, const invocation& call) {
    if (call.operands.empty()) return exit_code::done;
    const auto units = read_units(status);
    return std::all_of(units.begin(), units.end(), is_well) ? exit_code::done : exit_code::failed;
}

// nullopt: the daemon ended meanwhile.
std::optional<exit_code> show_one(invocation& call) {
    const std::string params = params_for(call.operands);
    std::optional<ipc::early_request> early;
    // Harmless, so it may be sent before the greeting is read. A watcher subscribes first.
    if (!call.has("watch")) early = ipc::early_request{this_program.methods.status, params};
    auto found = lifecycle::probe(call.where(), call.limit, limits::greeting_timeout, early);
    const bool unknown =
        found.state == lifecycle::daemon_state::denied || found.state == lifecycle::daemon_state::foreign;
    if (unknown && found.problem) throw *found.problem;
    if (!found.connection) return show_silent(call, found);
    if (call.has("watch")) return watcher(call, std::move(*found.connection)).run();
    ipc::client& daemon = *found.connection;
    std::string status;
    try {
        status = daemon.call(this_program.methods.status, params, call.limit_or(limits::request_timeout));
    } catch (const ipc::not_executed&) {
        return std::nullopt;
    } catch (const failure& why) {
        if (why.kind() != error_kind::daemon_lost) throw;
        return std::nullopt;
    }
    show(status, call, daemon.peer_pid());
    return exit_of(status, call);
}

exit_code show_status(invocation& call) {
    const bool all = call.has("all");
    if (all && (call.has("watch") || !call.operands.empty())) {
        throw failure(error_kind::usage, "cannot use '--all' with units or '--watch'");
    }
    if (all) return show_all(call);
    lifecycle::lost_daemons lost(call.where());
    for (;;) {
        if (const auto code = show_one(call)) return *code;
        lost.add();  // it ended between its greeting and its answer: another one may be there
    }
}

exit_code run_status(invocation& call) {
    try {
        return show_status(call);
    } catch (const failure& why) {
        if (why.kind() != error_kind::unit_unknown) throw;
        print_failure(why, call.global.json);
        return exit_code::usage;  // not 1, which says that a unit is not well
    }
}

// {"units":["name",…]?}
std::vector<std::string> units_of(const ipc::request& request) {
    const auto malformed = [](const char* what) {
        return failure(error_kind::usage, cannot("use the params of", this_program.methods.status), what);
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

std::string answer_status(handler_context context, ipc::session& from, const ipc::request& request) {
    auto names = units_of(request);
    if (!names.empty()) names = context.units.names_for("show", names, from.peer_pid());
    return status_report(context.daemon, names, from.peer_pid());
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
        "Shows the state of the daemon and of the named units, or of all units. With\n"
        "names it exits 1 unless all of them are well. It never starts a daemon: without\n"
        "one it prints \"stopped\", shows the units of hob.toml and exits 3.",
    .need = daemon_need::looking,
    .units = unit_use::named,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .run = run_status,
    .methods = methods,
};

}  // namespace hob::cmd
