#pragma once
// What a worker said unasked, numbered and kept in a bounded ring, and those who wait for some of it.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "util/async.hpp"

namespace hob::unit {

struct worker_event {
    std::uint64_t seq = 0;    // from 1, over all processes of the worker
    std::string name;         // a notification's method, an event's name
    std::string params;       // raw; empty: none
    std::uint64_t owner = 0;  // the call that it is about; 0: nobody's
    bool seen = false;        // somebody was given it
};

// {"seq":N,"event":NAME,"params":…}
std::string event_json(const worker_event& event);

// EVENT[:FIELD=VALUE…]: FIELD is a path in the event's params, with dots; VALUE a text or a JSON text.
struct event_pattern {
    std::string name;
    std::vector<std::pair<std::string, std::string>> fields;
    bool matches(const worker_event& event) const;
};

// nullopt: not of that form.
std::optional<event_pattern> parse_event_pattern(std::string_view text);

class event_ring;

// What one call waits for. It is in the ring from construction to destruction, and takes events from arm()
// on.
class event_watch {
public:
    struct wishes {
        std::vector<event_pattern> until;    // one of them ends the wait
        std::vector<event_pattern> collect;  // gathered meanwhile
        // Instead of being gathered they are handed over, as event_json(); what ended the wait, too. False:
        // it was not taken, and counts as lost.
        std::function<bool(const std::string& event)> stream;
    };
    event_watch(const boost::asio::any_io_executor& executor, event_ring& ring, wishes wanted);
    ~event_watch();
    event_watch(const event_watch&) = delete;
    event_watch& operator=(const event_watch&) = delete;

    // Events that are about `owner` alone are this call's.
    void own(std::uint64_t owner) { owner_ = owner; }
    // The request goes out now: what is pushed from here on may end the wait. What was there before and
    // nobody has been given yet is gathered.
    void arm();
    bool armed() const { return armed_; }

    bool wants_end() const { return !wanted_.until.empty(); }
    const std::optional<worker_event>& ended_by() const { return ended_by_; }
    boost::asio::awaitable<void> ended();  // until ended_by(), or fail(), whose failure it throws
    void fail(const failure& why);

    const std::string& gathered() const { return gathered_; }  // "event,event"
    std::uint64_t lost() const { return lost_; }

private:
    friend class event_ring;
    void take(worker_event& event);
    void keep(const worker_event& event);

    event_ring& ring_;
    wishes wanted_;
    bool armed_ = false;
    std::uint64_t owner_ = 0;
    std::optional<worker_event> ended_by_;
    std::optional<failure> failed_;
    util::manual_reset_event ended_;
    std::string gathered_;
    std::uint64_t lost_ = 0;
};

class event_ring {
public:
    void push(std::string name, std::string params, std::uint64_t owner);
    std::uint64_t last() const { return last_; }
    // The process is gone: who waits for its events is told.
    void fail_all(const failure& why);

private:
    friend class event_watch;
    void drop_front();

    std::deque<worker_event> events_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
    // Dropped before anybody was given them, by name; a name beyond limits::ring_names_max counts under "".
    std::map<std::string, std::uint64_t, std::less<>> lost_;
    std::list<event_watch*> watches_;
};

}  // namespace hob::unit
