#include "cmd/units/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <vector>

#include "cmd/core/connection.hpp"
#include "cmd/core/follow.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "ipc/message.hpp"
#include "ipc/run_state.hpp"
#include "ipc/unit_state.hpp"
#include "util/duration.hpp"
#include "util/json/json_text.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds redraw_interval{100};
constexpr std::array spinner{"\u280b", "\u2819", "\u2839", "\u2838", "\u283c", "\u2834", "\u2826", "\u2827"};
constexpr std::array ascii_spinner{"-", "\\", "|", "/"};
// Sent after hob.subscribe, whose id is 1.
constexpr std::string_view request_id = "2";

// A state that this version does not know is shown as it is, without a spinner.
bool is_settled(std::string_view name) {
    const auto state = ipc::unit_state_named(name);
    return !state || ipc::is_settled(*state);
}

class progress_board {
public:
    explicit progress_board(const terminal& out) : out_(out) {}

    void update(const unit_view& unit) {
        auto& row = row_of(unit.name);
        row.state = unit.state;
        row.pid = unit.pid;
        row.detail = unit.detail;
    }

    void handle_event(std::string_view payload) {
        unit_view unit;
        bool is_state_change = false, is_run = false;
        for (const auto& member :
             util::json_object_members(payload).value_or(std::vector<util::json_member>())) {
            if (member.key == "event") {
                is_state_change = util::json_unquote(member.value) == "unit.state";
                is_run = util::json_unquote(member.value) == "run.state";
            }
            if (member.key == "unit") unit.name = util::json_unquote(member.value).value_or("");
            if (member.key == "to") unit.state = util::json_unquote(member.value).value_or("");
            if (member.key == "pid") unit.pid = util::json_integer(member.value).value_or(0);
        }
        if (is_run && rows_.contains(unit.name)) note_run(unit.name, unit.state);
        if (!is_state_change || unit.name.empty() || is_at_rest_elsewhere(unit)) return;
        update(unit);
        auto& row = row_of(unit.name);
        if (is_settled(unit.state) && !row.run_end.empty()) row.state = row.run_end;
        row.elapsed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_);
        row.changed = true;
    }

    // Draws over the previous drawing. `last`: without spinners.
    void draw(bool last) {
        std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A", drawn_) : "";
        drawn_ = 0;
        std::size_t width = 0;
        for (const auto& name : order_)
            width = std::max(width, name.size());
        for (const auto& name : order_) {
            text += "\r\x1b[K" + line(name, rows_.at(name), width, last) + "\n";
            ++drawn_;
        }
        ++frame_;
        print(text);
        flush();
    }

private:
    struct row_state {
        std::string state, detail;
        std::string run_end;  // of a task: how its last run in this time ended
        std::int64_t pid = 0;
        milliseconds elapsed{0};
        bool changed = false;
    };

    // Its end says more than that the task is idle again.
    void note_run(const std::string& name, const std::string& state) {
        const auto known = ipc::run_state_named(state);
        const bool over = known && *known != ipc::run_state::running;
        row_of(name).run_end = over ? state : "";
        if (over && is_settled(row_of(name).state)) row_of(name).state = state;
    }

    // A task that was only scheduled, or the like, has no part in this.
    bool is_at_rest_elsewhere(const unit_view& unit) const {
        const auto state = ipc::unit_state_named(unit.state);
        return !rows_.contains(unit.name) && state && ipc::is_settled(*state) && !ipc::is_up(*state) &&
               *state != ipc::unit_state::failed && *state != ipc::unit_state::backoff;
    }

    row_state& row_of(const std::string& name) {
        const auto [found, inserted] = rows_.try_emplace(name);
        if (inserted) order_.push_back(name);
        return found->second;
    }

    std::string line(const std::string& name, const row_state& row, std::size_t width, bool last) const {
        const state_look look = look_of_state(row.state, out_.utf8);
        const bool in_progress = !last && !is_settled(row.state);
        std::string mark(look.mark);
        if (in_progress)
            mark =
                out_.utf8 ? spinner[frame_ % spinner.size()] : ascii_spinner[frame_ % ascii_spinner.size()];
        const auto elapsed = in_progress
                                 ? std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_)
                                 : row.elapsed;
        std::string rest = row.pid > 0 ? fmt::format("  pid {}", row.pid) : "";
        if (row.changed || in_progress) rest += "  " + util::format_duration(elapsed / 100 * 100);
        if (!row.detail.empty()) rest += "  " + printable(row.detail, out_.utf8);
        const int room = out_.columns - static_cast<int>(width) - display_width(row.state) - 5;
        return fmt::format("{} {:{}}  {}{}", paint(mark, look.code, out_.color && !look.code.empty()), name,
                           width, paint(row.state, look.code, out_.color && !look.code.empty()),
                           shortened(rest, std::max(room, 0), out_.utf8));
    }

    terminal out_;
    steady_clock::time_point began_ = steady_clock::now();
    std::map<std::string, row_state> rows_;
    std::vector<std::string> order_;
    int drawn_ = 0;
    std::size_t frame_ = 0;
};

// Adds the initial rows: the named units, or all services.
void add_rows(progress_board& view, const invocation& call, std::string_view snapshot) {
    std::string status;
    for (const auto& member :
         util::json_object_members(snapshot).value_or(std::vector<util::json_member>())) {
        if (member.key == "status") status = member.value;
    }
    for (const auto& unit : read_units(status)) {
        const bool named =
            std::find(call.operands.begin(), call.operands.end(), unit.name) != call.operands.end();
        if (named || (call.operands.empty() && unit.kind == "service" && unit.enabled)) view.update(unit);
    }
}

// Draws the final state and returns the result, or throws the daemon's failure.
std::string reply_of(const ipc::incoming& message, progress_board& view) {
    if (message.what == ipc::incoming::kind::result) {
        for (const auto& unit : read_units(message.payload))
            view.update(unit);
        view.draw(true);
        return message.payload;
    }
    view.draw(true);
    const failure why = ipc::failure_from_error(message.payload);
    if (ipc::is_draining_refusal(why)) throw ipc::not_executed();
    throw why;
}

std::string request_and_follow(invocation& call, ipc::client& daemon, std::string_view method,
                               std::string_view params, progress_board& view) {
    add_rows(view, call, daemon.call(this_program.methods.subscribe, "{}", call.limit));
    daemon.send(ipc::request_line(request_id, method, params));
    for (;;) {
        ipc::incoming message;
        switch (follow(daemon, message, call.limit, util::deadline::in(redraw_interval))) {
            case followed::tick:
            case followed::key:
                break;
            case followed::daemon_gone:
                throw daemon.lost(cannot("finish", method));
            case followed::reader_gone:
                throw failure(error_kind::cancelled, cannot("finish", method),
                              "nobody reads the output any more");
            case followed::message:
                if (message.method == this_program.methods.event) view.handle_event(message.payload);
                if (message.id != request_id) break;
                return reply_of(message, view);
        }
        view.draw(false);
    }
}

// The same, with the failure that a request without progress has at the deadline.
std::string within_deadline(invocation& call, ipc::client& daemon, std::string_view method,
                            std::string_view params, progress_board& view) {
    try {
        return request_and_follow(call, daemon, method, params, view);
    } catch (const failure& why) {
        if (why.kind() != error_kind::timeout || !call.limit.expired()) throw;
        throw failure(error_kind::timeout, cannot("finish", method), "the deadline is over");
    }
}

}  // namespace

std::string request_with_progress(invocation& call, const lifecycle::request& wanted) {
    progress_board view(out_terminal());
    std::string result;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool again) {
        result = within_deadline(call, daemon, wanted.method, again ? *wanted.again : wanted.params, view);
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), wanted.method, wanted.again.has_value(),
                           talk);
    return result;
}

}  // namespace hob::cmd
