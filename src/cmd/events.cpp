#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_report.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/session.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/request.hpp"
#include "util/clock.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

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

struct subscription {
    ipc::client daemon;
    std::string snapshot;
};

subscription subscribed(invocation& call) {
    std::optional<subscription> made;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool) {
        std::string snapshot = daemon.call(this_program.methods.subscribe, "{}", call.limit);
        made = {std::move(daemon), std::move(snapshot)};
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), this_program.methods.subscribe, true, talk);
    return std::move(*made);
}

// Prints the events of one daemon after the other.
class event_printer {
public:
    explicit event_printer(invocation& call)
        : call_(call), out_(out_terminal()), people_(!call.global.json && out_.interactive), lost_(call.where()) {}

    exit_code run() {
        from_ = subscribed(call_);
        if (people_ && !call_.global.quiet) print_error("waiting for events, end with Ctrl-C\n");
        for (;;) {
            ipc::incoming message;
            switch (follow(from_->daemon, message, call_.limit, util::deadline::never())) {
                case followed::message:
                    show(event_json(message));
                    break;
                case followed::daemon_gone:
                    if (!go_on()) {
                        print(people_ ? "the daemon has ended\n" : ended_json() + "\n");
                        return exit_code::done;
                    }
                    print(people_ ? resync_text() : resync_json() + "\n");
                    break;
                case followed::reader_gone:
                case followed::tick:
                case followed::key:
                    return exit_code::done;
            }
            if (!flush()) return exit_code::done;
        }
    }

private:
    void show(const std::string& event) const {
        if (!event.empty()) print(people_ ? event_text(event, out_) : event + "\n");
    }

    // Subscribes to the next daemon. False: none goes on.
    bool go_on() {
        if (from_->daemon.told_of_end()) return false;
        for (;;) {
            lost_.add();
            lifecycle::next_options options;
            options.limit = call_.limit;
            auto daemon = lifecycle::connect_next(call_.where(), options);
            if (!daemon) return false;
            try {
                std::string snapshot = daemon->call(this_program.methods.subscribe, "{}", call_.limit);
                from_ = {std::move(*daemon), std::move(snapshot)};
                return true;
            } catch (const ipc::not_executed&) {
            } catch (const failure& why) {
                if (why.kind() != error_kind::daemon_lost) throw;
            }
        }
    }

    std::string resync_json() const {
        util::json_object event;
        event.add("ts", current_time()).add("event", "hob.resync");
        event.add("status", util::raw_json{util::json_find(from_->snapshot, {"status"})});
        return std::move(event).text();
    }

    // "12:34:56 hob.resync: pid 77", and a line for each unit.
    std::string resync_text() const {
        const std::string time = current_time().substr(11, 8);
        std::string text = fmt::format("{} hob.resync: pid {}\n", paint(time, "2", out_.color),
                                       from_->daemon.greeting().pid);
        for (const auto& unit : read_units(util::json_find(from_->snapshot, {"status"}))) {
            const state_look look = look_of_state(unit.state, out_.utf8);
            text += fmt::format("{} {}: {}\n", paint(time, "2", out_.color), printable(unit.name, out_.utf8),
                                paint(printable(unit.state, out_.utf8), look.code,
                                      out_.color && !look.code.empty()));
        }
        return text;
    }

    invocation& call_;
    const terminal out_;
    const bool people_;
    lifecycle::lost_daemons lost_;
    std::optional<subscription> from_;
};

exit_code run_events(invocation& call) {
    interrupt_is_success();
    return event_printer(call).run();
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
