#include "lifecycle/request.hpp"

#include <fmt/format.h>
#include <poll.h>

#include "error.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/process_handle.hpp"

namespace hob::lifecycle {

// A daemon that lives on has handed over to another program, which is no death.
bool lost_daemons::was_handover() {
    const pid_t holder = query_lock(where_.pid_path()).pid;
    const util::process_handle process(holder);
    const bool lives = holder > 0 && process && !process.has_ended();
    const bool is_same = lives && holder == holder_;
    holder_ = lives ? holder : 0;
    return is_same && ++handovers_ < limits::handovers_max;
}

void lost_daemons::add() {
    if (was_handover()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ > limits::crash_loop_window) count_ = 0;
    last_ = now;
    if (++count_ < limits::lost_daemons_max) return;
    throw failure(error_kind::daemon_lost, cannot("get an answer of the daemon of", where_.root),
                  fmt::format("{} in a row ended before they replied", count_),
                  "its log is " + where_.daemon_log_path());
}

std::optional<ipc::client> connect_next(const instance& where, const next_options& options) {
    const auto patience = util::deadline::in(start_timeout()).earlier(options.limit);
    connect_options attempt;
    attempt.spawn = false;
    for (;;) {
        attempt.limit = patience;
        if (options.interrupted) attempt.limit = patience.earlier(util::deadline::in(limits::glance_timeout));
        bool is_there = true;
        try {
            return connect_acting(where, attempt);
        } catch (const failure& why) {
            is_there = why.kind() != error_kind::no_daemon;
            if (is_there && (why.kind() != error_kind::timeout || patience.expired())) throw;
        }
        if (options.interrupted && options.interrupted()) return std::nullopt;
        if (is_there) continue;
        if (!options.restarts || patience.expired()) return std::nullopt;
        ::poll(nullptr, 0, static_cast<int>(limits::look_again.count()));
    }
}

namespace {

// Before the next daemon is asked.
void count_loss(lost_daemons& lost, util::deadline limit, std::string_view what) {
    lost.add();
    if (limit.expired()) throw failure(error_kind::timeout, cannot("finish", what), "the deadline is over");
}

}  // namespace

void talk_acting(const instance& where, const connect_options& options, std::string_view what, bool repeats,
                 const talk_function& talk) {
    lost_daemons lost(where);
    bool again = false;
    for (;;) {
        ipc::client connection = connect_acting(where, options);
        try {
            return talk(connection, again);
        } catch (const ipc::not_executed&) {
        } catch (const failure& why) {
            if (!repeats || why.kind() != error_kind::daemon_lost) throw;
            again = true;
        }
        count_loss(lost, options.limit, what);
    }
}

// As talk_acting(), and as short as it can be: every command of a script does this.
std::string request_acting(const instance& where, const connect_options& options, const request& wanted) {
    lost_daemons lost(where);
    bool again = false;
    for (;;) {
        ipc::client connection = connect_acting(where, options);
        connection.on_notification = wanted.on_notification;
        try {
            return connection.call(wanted.method, again ? *wanted.again : wanted.params, wanted.reply_limit);
        } catch (const ipc::not_executed&) {
        } catch (const failure& why) {
            if (!wanted.again || why.kind() != error_kind::daemon_lost) throw;
            again = true;
        }
        count_loss(lost, options.limit.earlier(wanted.reply_limit), wanted.method);
    }
}

std::optional<std::string> request_looking(const instance& where, util::deadline limit,
                                           const request& wanted) {
    lost_daemons lost(where);
    std::optional<failure> death;
    auto connection = connect_looking(where, limit);
    while (connection) {
        try {
            connection->on_notification = wanted.on_notification;
            return connection->call(wanted.method, death ? *wanted.again : wanted.params, wanted.reply_limit);
        } catch (const ipc::not_executed&) {
        } catch (const failure& why) {
            if (!wanted.again || why.kind() != error_kind::daemon_lost) throw;
            death.emplace(why);
        }
        lost.add();
        next_options next;
        next.limit = wanted.reply_limit;
        connection = connect_next(where, next);
    }
    if (death) throw failure(*death);
    return std::nullopt;
}

}  // namespace hob::lifecycle
