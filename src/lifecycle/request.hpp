#pragma once
// Requests that go on with the next daemon when theirs ends under them: after an idle exit, a restart, or a
// death that the keeper repairs.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/client.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

// Counts the daemons that end under one command, so that a request which each of them dies of ends.
class lost_daemons {
public:
    explicit lost_daemons(const instance& where) : where_(where) {}

    // Before the command goes on with the next one. Throws failure(daemon_lost) when
    // limits::lost_daemons_max have ended in a row.
    void add();

private:
    bool was_handover();

    const instance& where_;
    pid_t holder_ = 0;  // of the lock, at the last loss; 0: it did not live
    int handovers_ = 0;
    int count_ = 0;
    std::chrono::steady_clock::time_point last_{};
};

struct next_options {
    util::deadline limit = util::deadline::never();  // of the whole command
    bool restarts = false;                           // it is on its way, though nothing shows that yet
    // Looks at signals while there is no daemon. True: nobody wants to wait any longer. May be empty.
    std::function<bool()> interrupted;
};

// Connects to the daemon that goes on after one that has ended, and starts none. nullopt: there is none, or
// the wait was interrupted. Throws failure, such as crash_loop, within `limit` and start_timeout.
std::optional<ipc::client> connect_next(const instance& where, const next_options& options);

// Connects as an acting verb and calls `talk`; again with the next daemon when `talk` throws
// ipc::not_executed and, if `repeats`, failure(daemon_lost). `talk` gets true after such a loss. `what`: for
// the failure at the deadline.
using talk_function = std::function<void(ipc::client& daemon, bool again)>;
void talk_acting(const instance& where, const connect_options& options, std::string_view what, bool repeats,
                 const talk_function& talk);

struct request {
    std::string_view method;
    std::string_view params;
    // The params with which the next daemon is asked when this one has died before it replied. nullopt: it
    // is not asked, since to do it twice is something else.
    std::optional<std::string_view> again{};
    util::deadline reply_limit = util::deadline::never();
    std::function<void(const ipc::incoming&)> on_notification{};  // of what comes before the reply
};

// One request of an acting verb, from connection to reply.
std::string request_acting(const instance& where, const connect_options& options, const request& wanted);

// Likewise of a looking verb: it starts no daemon. nullopt: there is none. `limit`: of the first connection.
// Throws as connect_looking() and ipc::client::call().
std::optional<std::string> request_looking(const instance& where, util::deadline limit,
                                           const request& wanted);

}  // namespace hob::lifecycle
