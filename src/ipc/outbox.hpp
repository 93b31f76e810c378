#pragma once
// What waits to be sent to one peer that does not read fast enough. Replies are kept whatever happens; events
// are bounded, and those that had to be left out are counted until the reader has caught up.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace hob::ipc {

class outbox {
public:
    // Sends directly while nothing waits, and keeps what the socket does not take.
    // False: the peer is gone (errno tells); nothing is kept from then on.
    bool reply(int socket, std::string_view lines);

    // As reply(), but left out and counted when more than limits::outbox_events_max would wait.
    bool event(int socket, std::string_view line);

    // Sends what waits, as far as the socket takes it. When all of it went and events were left out, says so
    // (hob.lagged). False: the peer is gone.
    bool flush(int socket);

    void discard();

    bool empty() const { return waiting_.empty(); }
    std::size_t bytes() const { return bytes_; }  // waiting, in all
    std::uint64_t lost() const { return lost_; }  // events left out and not told yet

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
