#pragma once
// The daemon's side of its keeper (src/keeper/): what the daemon lets it hold, and what it tells of the ends
// of processes. Nothing here blocks. Everything runs on the executor's one thread.

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keeper/message.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

inline constexpr std::string_view text_role = "text";

// A file in memory, to be held in this role. Empty, and logged: it could not be made.
util::unique_fd text_file(const std::string& name, std::string_view text);
// All that is in such a file. Its offset stays. nullopt: it cannot be read.
std::optional<std::string> whole_file(int file);

// What a predecessor left with the keeper.
struct held_entry {
    std::string key;
    pid_t pid = 0;                                                      // 0: it holds no process
    keeper::exit_report exit{};                                         // code 0: the process lives
    std::map<std::string, util::unique_fd, std::less<>> descriptors{};  // by role
    std::string note{};

    util::unique_fd take(std::string_view role);  // empty: it has none
    // What hold_text() or text_file() was given.
    std::optional<std::string> text() const { return text_of(text_role); }
    std::optional<std::string> text_of(std::string_view role) const;
};

struct keeper_handle {
    pid_t pid = 0;
    util::unique_fd socket{};
    bool is_successor = false;       // the keeper has started this daemon after another one's death
    std::vector<held_entry> held{};  // by it
    std::vector<int> asked{};        // signals that it got and that end a daemon

    explicit operator bool() const { return static_cast<bool>(socket); }
    held_entry* find(std::string_view key);
    std::vector<held_entry> take_for_application();  // all but what is the daemon's own
};

// Asks for all that is held, and fills in `held` and `asked`. Blocks. Throws failure(start_failed): the
// keeper is gone, or speaks another version.
void read_held(keeper_handle& handle);

struct held_descriptor {
    std::string_view role;  // a word
    int fd;
};

class keeper_link {
public:
    keeper_link(const boost::asio::any_io_executor& executor, pid_t keeper, util::unique_fd socket);
    ~keeper_link();
    keeper_link(const keeper_link&) = delete;
    keeper_link& operator=(const keeper_link&) = delete;

    pid_t pid() const { return pid_; }
    bool alive() const { return socket_.is_open(); }

    // What is held outlives this daemon: the keeper lives, and was not told of the daemon's end.
    bool goes_on() const { return alive() && !ending_; }

    // See keeper::message_kind. Each does nothing once the keeper is gone.
    void hold(std::string key, const std::vector<held_descriptor>& descriptors, pid_t pid = 0,
              std::string note = {});
    void hold_text(std::string key, std::string_view text);  // of any size
    void note(std::string key, std::string text);
    void close(std::string key, std::string roles);
    void drop(std::string key);
    void reap(pid_t pid);
    void say(keeper::message_kind what, int number = 0);  // ready, ending, release or handover
    // Blocks until the keeper has been sent everything. False: not within `limit`.
    bool flush(util::deadline limit);
    int socket() { return socket_.native_handle(); }

    // A process that the keeper holds and that is not reaped. `on_end` is called once, when its end is known
    // or the keeper is gone.
    void watch(pid_t pid, std::function<void()> on_end);
    void unwatch(pid_t pid);
    // nullopt: not known, or it lives. Kept until reap().
    std::optional<keeper::exit_report> end_of(pid_t pid) const;
    void add_end(pid_t pid, const keeper::exit_report& exit) { ends_[pid] = exit; }

    std::function<void(int signal)> on_asked;  // the keeper got a signal that is meant for the daemon
    std::function<void()> on_lost;             // the keeper is gone

private:
    struct outgoing {
        keeper::message what;
        std::vector<util::unique_fd> descriptors;
    };

    void send(keeper::message what, const std::vector<int>& descriptors = {});
    void send_now(const keeper::message& what, const std::vector<int>& descriptors);  // blocks
    bool send_queued();  // false: the socket has no room
    void wait_for_room();
    void wait_for_messages();
    void read_all();
    void ended(const keeper::message& what);
    void lost();

    const pid_t pid_;
    boost::asio::posix::stream_descriptor socket_;
    std::deque<outgoing> queue_;
    bool waits_for_room_ = false;
    bool ending_ = false;
    std::map<pid_t, keeper::exit_report> ends_;
    std::map<pid_t, std::function<void()>> watches_;
};

}  // namespace hob::lifecycle
