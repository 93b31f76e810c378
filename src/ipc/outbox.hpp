#pragma once
// What waits to be sent to a peer that does not read fast enough. Replies are always kept. Events are
// limited: those that exceed the limit are dropped and counted until the reader has caught up.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace hob::ipc {

class outbox {
public:
    // Sends directly while nothing waits, and keeps what the socket does not take. False and errno: the peer
    // is gone, and nothing is kept.
    bool reply(int socket, std::string_view lines);

    // As reply(), but dropped and counted if more than limits::outbox_events_max would wait.
    bool event(int socket, std::string_view line);

    // Sends what waits, as far as the socket takes it. After all of it was sent, reports dropped events
    // (identity::methods.lagged). False: the peer is gone.
    bool flush(int socket);

    void discard();

    bool empty() const { return waiting_.empty(); }
    std::string pending() const;                  // the bytes that wait
    std::size_t bytes() const { return bytes_; }  // that wait
    std::uint64_t lost() const { return lost_; }  // events that were dropped and not reported yet

private:
    struct item {
        std::string bytes;
        bool droppable;
    };

    bool send_now(int socket, std::string_view& bytes);
    bool send_waiting(int socket);
    void sent(std::size_t count);
    void keep(std::string_view bytes, bool droppable);
    bool put(int socket, std::string_view bytes, bool droppable);

    std::deque<item> waiting_;
    std::size_t front_sent_ = 0;  // of the first item
    std::size_t bytes_ = 0;
    std::size_t event_bytes_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace hob::ipc
