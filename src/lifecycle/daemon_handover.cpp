// How another program takes over in the process of a daemon, both sides. It comes up as a daemon does after a
// death, from what the keeper holds; besides, the process stays the same, and so do its clients.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/start_keeper.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/json/json_fields.hpp"
#include "util/log/log.hpp"
#include "util/nul_list.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

using util::field;
using util::level;

constexpr const char* channel = "lifecycle";
constexpr std::string_view input_role = "input";
constexpr std::string_view output_role = "output";
constexpr std::string_view executable_role = "executable";
constexpr std::string_view environment_role = "environment";

struct client_note {
    std::int64_t pid = 0;
    bool subscribed = false;
};

template <util::json_fields::is<client_note> Note, typename Field>
void each_field(Note& note, const Field& field) {
    field("pid", note.pid);
    field("subscribed", note.subscribed);
}

util::unique_fd bytes_file(std::string_view role, std::string_view bytes) {
    return bytes.empty() ? util::unique_fd() : text_file(std::string(role), bytes);
}

failure impossible(const instance& where, std::string why) {
    return failure(error_kind::no_daemon, cannot("hand over the daemon of", where.root), std::move(why));
}

}  // namespace

// ---- the program that goes ----

boost::asio::awaitable<successor_facts> daemon::hand_over(successor next, std::vector<std::string> kept,
                                                          std::shared_ptr<ipc::session> by) {
    if (!keeper_ || !keeper_->goes_on()) throw impossible(options_.where, "it has no keeper");
    for (const auto& setting : kept_settings_) {
        if (std::find(kept.begin(), kept.end(), setting) == kept.end())
            throw impossible(options_.where, "its process keeps " + setting);
    }
    // If that one succeeds, the client sees the end of its connection, and asks it.
    while (hands_over_)
        co_await handover_given_up_.wait();
    hands_over_ = true;
    // Units and the service manager know the environment that the manager gave.
    if (options_.manager || next.environment.empty()) next.environment = own_environment();
    successor_facts facts;
    try {
        successor_check check{options_.where.key, options_.where.root, application_->successor_input()};
        check.without_database = !application_->degraded().empty();
        facts =
            co_await check_successor(executor(), next, std::move(check), util::deadline::in(start_timeout()));
    } catch (...) {
        give_up_handover();
        throw;
    }
    if (!hands_over_ || !keeper_->goes_on()) throw impossible(options_.where, "it is shutting down");
    server_->suspend();
    util::spawn(executor(),
                finish_handover(std::move(next), std::move(by), facts.protocol == protocol_version),
                "handover");
    co_return facts;
}

void daemon::give_up_handover() {
    if (!std::exchange(hands_over_, false)) return;
    server_->resume();
    handover_given_up_.ring();
}

boost::asio::awaitable<void> daemon::finish_handover(successor next, std::shared_ptr<ipc::session> by,
                                                     bool keeps_clients) {
    const auto limit = shutdown_budget() / 2;
    options_.manager.reloading();
    try {
        co_await server_->replied(by);
        co_await application_->hand_over(limit);
    } catch (const std::exception& why) {
        util::log(level::error, channel, "cannot hand over", {field("reason", why.what())});
        options_.manager.ready(manager_status());
        give_up_handover();
        co_return;
    }
    if (!hands_over_ || !keeper_->goes_on()) co_return;  // a shutdown has begun
    util::log(level::info, channel, "another program takes over",
              {field("program", next.program), field("clients", server_->clients())});
    if (keeps_clients) hold_clients();
    keeper_->note(handover_key, std::to_string(pid_));
    const auto ready_within = static_cast<int>(start_timeout().count());
    keeper_->say(keeper::message_kind::handover, ready_within);
    if (keeper_->flush(util::deadline::in(start_timeout()))) execute_successor(next, keeper_->socket());
    // Clients and units are with the keeper: the next daemon is its.
    util::log(level::error, channel, "cannot execute the program that takes over",
              {field("program", next.program), field("reason", errno_text(errno))});
    ::_exit(static_cast<int>(exit_code::failed));
}

void daemon::hold_clients() {
    int number = 0;
    for (const ipc::carried_connection& client : server_->carry_clients()) {
        const util::unique_fd input = bytes_file(input_role, client.input);
        const util::unique_fd output = bytes_file(output_role, client.output);
        const client_note note{client.peer_pid, client.subscribed};
        keeper_->hold(
            fmt::format("{}{}", client_prefix, ++number),
            {{socket_key, client.socket.get()}, {input_role, input.get()}, {output_role, output.get()}}, 0,
            util::json_fields::to_json(note));
    }
}

// ---- the program that comes ----

// Another program was executed in this process. A note with another pid: that process has died meanwhile.
bool daemon::took_over() const {
    for (const held_entry& each : options_.keeper.held) {
        if (each.key == handover_key) return each.note == std::to_string(pid_);
    }
    return false;
}

// From now on a death is followed by this program.
void daemon::hold_program() {
    if (!took_over()) return;
    const util::unique_fd executable = util::open_file("/proc/self/exe", O_RDONLY);
    const util::unique_fd variables =
        text_file(std::string(environment_role), util::join_nul_list(own_environment()));
    if (!executable || !variables) return;
    keeper_->hold(program_key, {{executable_role, executable.get()}, {environment_role, variables.get()}}, 0,
                  own_program_path());
}

void daemon::resume_clients() {
    for (held_entry& held : options_.keeper.held) {
        if (held.key == socket_key) continue;
        if (util::unique_fd socket = held.take(socket_key)) {
            const auto note = util::json_fields::parse<client_note>(held.note).value_or(client_note{});
            server_->resume_client({.socket = std::move(socket),
                                    .peer_pid = static_cast<pid_t>(note.pid),
                                    .subscribed = note.subscribed,
                                    .input = held.text_of(input_role).value_or(""),
                                    .output = held.text_of(output_role).value_or("")});
        }
        keeper_->drop(held.key);
    }
    options_.keeper.held.clear();
}

}  // namespace hob::lifecycle
