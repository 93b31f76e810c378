#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_report.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "identity.hpp"
#include "ipc/session.hpp"
#include "lifecycle/instance.hpp"
#include "util/clock.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr int reconnects_max = 8;  // daemons in a row that ended before they read the request

std::string current_time() { return util::rfc3339(std::chrono::system_clock::now()); }

// A notification as a line of `hob events --json`; empty: not for users.
std::string event_json(const ipc::incoming& message) {
    if (message.method == this_program.methods.event) return message.payload;
    if (message.method != this_program.methods.lagged) return {};
    const auto members = util::json_object_members(message.payload);
    std::string lost = "null";
    for (const auto& member : members.value_or(std::vector<util::json_member>())) {
        if (member.key == "lost") lost = member.value;
    }
    util::json_object event;
    event.add("ts", current_time())
        .add("event", this_program.methods.lagged)
        .add("lost", util::raw_json{lost});
    return std::move(event).text();
}

std::string ended_json() {
    util::json_object event;
    event.add("ts", current_time()).add("event", "daemon.ended");
    return std::move(event).text();
}

std::string member_text(std::string_view value) {
    const auto text = util::json_unquote(value);
    return text ? *text : std::string(value);
}

// "12:34:56 calc: starting -> warm, pid 12"
std::string event_text(const std::string& event, const terminal& out) {
    std::string time, name, unit, from, to, rest;
    for (const auto& [raw, key, value] :
         util::json_object_members(event).value_or(std::vector<util::json_member>())) {
        const std::string text = printable(member_text(value), out.utf8);
        if (key == "ts") {
            time = text.size() >= 19 ? text.substr(11, 8) : text;
        } else if (key == "event") {
            name = text;
        } else if (key == "unit") {
            unit = text;
        } else if (key == "from") {
            from = text;
        } else if (key == "to") {
            to = text;
        } else if (key != "kind" || name != "unit.state") {
            rest += fmt::format("{}{} {}", rest.empty() ? "" : ", ", key, text);
        }
    }
    std::string line = paint(time, "2", out.color) + " ";
    if (name == "unit.state" && !to.empty()) {
        const state_look look = look_of_state(to, out.utf8);
        line += fmt::format("{}: {} {} {}", unit, from, out.utf8 ? "\u2192" : "->",
                            paint(to, look.code, out.color && !look.code.empty()));
        if (!rest.empty()) line += ", ";
    } else {
        line += name + (unit.empty() ? "" : " " + unit) + (rest.empty() ? "" : ": ");
    }
    return line + rest + "\n";
}

ipc::client subscribed(invocation& call) {
    const lifecycle::connect_options options = connect_options_of(call);
    for (int attempt = 1;; ++attempt) {
        ipc::client daemon = lifecycle::connect_acting(call.where(), options);
        try {
            daemon.call(this_program.methods.subscribe, "{}", call.limit);
            return daemon;
        } catch (const ipc::not_executed&) {
            if (attempt == reconnects_max) throw;
        }
    }
}

exit_code run_events(invocation& call) {
    const terminal out = out_terminal();
    const bool people = !call.global.json && out.interactive;
    interrupt_is_success();
    ipc::client daemon = subscribed(call);
    if (people && !call.global.quiet) print_error("waiting for events, end with Ctrl-C\n");
    for (;;) {
        ipc::incoming message;
        switch (follow(daemon, message, call.limit, util::deadline::never())) {
            case followed::message:
                break;
            case followed::daemon_gone:
                print(people ? "the daemon has ended\n" : ended_json() + "\n");
                return exit_code::done;
            case followed::reader_gone:
            case followed::tick:
            case followed::key:
                return exit_code::done;
        }
        const std::string event = event_json(message);
        if (event.empty()) continue;
        print(people ? event_text(event, out) : event + "\n");
        if (!flush()) return exit_code::done;
    }
}

// {"status":<status object>}; every later event follows.
std::string answer_subscribe(handler_context context, ipc::session& from, const ipc::request&) {
    util::json_object snapshot;
    snapshot.add("status", util::raw_json{status_report(context.daemon, {}, from.peer_pid())});
    from.subscribe();
    return std::move(snapshot).text();
}

constexpr method_row methods[] = {
    {.name = "hob.subscribe", .handler = answer_subscribe, .while_draining = true},
};

}  // namespace

extern constinit const command events_command;
constinit const command events_command{
    .name = "events",
    .summary = "print what happens as it happens",
    .usage = "",
    .description =
        "Prints the events of the daemon, one a line, until it is interrupted or the\n"
        "daemon ends. The lines are JSON with --json and where standard output is no\n"
        "terminal.",
    .need = daemon_need::acting,
    .run = run_events,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
