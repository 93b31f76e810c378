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
#include "ipc/draining.hpp"
#include "ipc/message.hpp"
#include "util/duration.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds redraw_interval{100};
constexpr std::array spinner{"\u280b", "\u2819", "\u2839", "\u2838", "\u283c", "\u2834", "\u2826", "\u2827"};
constexpr std::array ascii_spinner{"-", "\\", "|", "/"};
// Sent after hob.subscribe, whose id is 1.
constexpr std::string_view request_id = "2";

bool settled(std::string_view state) {
    return state == "ready" || state == "warm" || state == "failed" || state == "backoff" ||
           state == "stopped" || state == "cold";
}

class board {
public:
    explicit board(const terminal& out) : out_(out) {}

    void put(const unit_view& unit) {
        auto& row = row_of(unit.name);
        row.state = unit.state;
        row.pid = unit.pid;
        row.detail = unit.detail;
    }

    void event(std::string_view payload) {
        unit_view unit;
        bool of_state = false;
        for (const auto& member :
             util::json_object_members(payload).value_or(std::vector<util::json_member>())) {
            if (member.key == "event") of_state = util::json_unquote(member.value) == "unit.state";
            if (member.key == "unit") unit.name = util::json_unquote(member.value).value_or("");
            if (member.key == "to") unit.state = util::json_unquote(member.value).value_or("");
            if (member.key == "pid") unit.pid = util::json_integer(member.value).value_or(0);
        }
        if (!of_state || unit.name.empty()) return;
        put(unit);
        auto& row = row_of(unit.name);
        row.took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_);
        row.moved = true;
    }

    // Over what was drawn before. `last`: no spinner any more.
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
        std::int64_t pid = 0;
        milliseconds took{0};
        bool moved = false;
    };

    row_state& row_of(const std::string& name) {
        const auto [place, fresh] = rows_.try_emplace(name);
        if (fresh) order_.push_back(name);
        return place->second;
    }

    std::string line(const std::string& name, const row_state& of, std::size_t width, bool last) const {
        const state_look probe = look_of_state(of.state, out_.utf8);
        const bool moving = !last && !settled(of.state);
        std::string mark(probe.mark);
        if (moving)
            mark =
                out_.utf8 ? spinner[frame_ % spinner.size()] : ascii_spinner[frame_ % ascii_spinner.size()];
        const auto elapsed =
            moving ? std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_) : of.took;
        std::string rest = of.pid > 0 ? fmt::format("  pid {}", of.pid) : "";
        if (of.moved || moving) rest += "  " + util::format_duration(elapsed / 100 * 100);
        if (!of.detail.empty()) rest += "  " + printable(of.detail, out_.utf8);
        const int room = out_.columns - static_cast<int>(width) - display_width(of.state) - 5;
        return fmt::format("{} {:{}}  {}{}", paint(mark, probe.code, out_.color && !probe.code.empty()), name,
                           width, paint(of.state, probe.code, out_.color && !probe.code.empty()),
                           shortened(rest, std::max(room, 0), out_.utf8));
    }

    terminal out_;
    steady_clock::time_point began_ = steady_clock::now();
    std::map<std::string, row_state> rows_;
    std::vector<std::string> order_;
    int drawn_ = 0;
    std::size_t frame_ = 0;
};

// The rows to begin with: what was named, or every service.
void fill(board& shown, const invocation& call, std::string_view snapshot) {
    std::string status;
    for (const auto& member :
         util::json_object_members(snapshot).value_or(std::vector<util::json_member>())) {
        if (member.key == "status") status = member.value;
    }
    for (const auto& unit : read_units(status)) {
        const bool named =
            std::find(call.operands.begin(), call.operands.end(), unit.name) != call.operands.end();
        if (named || (call.operands.empty() && unit.kind == "service")) shown.put(unit);
    }
}

// The result, after the last picture; or the daemon's failure.
std::string reply_of(const ipc::incoming& message, board& shown) {
    if (message.what == ipc::incoming::kind::result) {
        for (const auto& unit : read_units(message.payload))
            shown.put(unit);
        shown.draw(true);
        return message.payload;
    }
    shown.draw(true);
    const failure why = ipc::failure_from_error(message.payload);
    if (ipc::is_draining_refusal(why)) throw ipc::not_executed();
    throw why;
}

std::string converse(invocation& call, ipc::client& daemon, std::string_view method,
                     const std::string& params) {
    board shown(out_terminal());
    fill(shown, call, daemon.call("hob.subscribe", "{}", call.limit));
    daemon.send(ipc::request_line(request_id, method, params));
    for (;;) {
        ipc::incoming message;
        switch (follow(daemon, message, call.limit, util::deadline::in(redraw_interval))) {
            case followed::tick:
            case followed::key:
                break;
            case followed::daemon_gone:
            case followed::reader_gone:
                throw failure(error_kind::no_daemon, cannot("finish", method), "the daemon has ended");
            case followed::message:
                if (message.method == "hob.event") shown.event(message.payload);
                if (message.id != request_id) break;
                return reply_of(message, shown);
        }
        shown.draw(false);
    }
}

// The same, with the failure that a request without progress has at the deadline.
std::string within_deadline(invocation& call, ipc::client& daemon, std::string_view method,
                            const std::string& params) {
    try {
        return converse(call, daemon, method, params);
    } catch (const failure& why) {
        if (why.kind() != error_kind::timeout || !call.limit.expired()) throw;
        throw failure(error_kind::timeout, cannot("finish", method), "the deadline is over");
    }
}

}  // namespace

std::string ask_and_show(invocation& call, std::string_view method, const std::string& params) {
    for (;;) {
        try {
            ipc::client daemon = lifecycle::connect_acting(call.where(), connect_options_of(call));
            return within_deadline(call, daemon, method, params);
        } catch (const ipc::not_executed&) {
            if (call.limit.expired())
                throw failure(error_kind::timeout, cannot("finish", method), "the deadline is over");
        }
    }
}

}  // namespace hob::cmd
