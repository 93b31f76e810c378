#pragma once
// The notifications of a worker, numbered and kept in a bounded ring, and the calls that wait for some of
// them.

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
#include "util/json/json_writer.hpp"

namespace hob::unit {

struct worker_event {
    std::uint64_t seq = 0;    // from 1, over all processes of the worker
    std::string name;         // the method of a notification, the name of an event
    std::string params;       // raw; empty: none
    std::uint64_t owner = 0;  // the call that it belongs to; 0: none
    bool seen = false;        // some call got it
};

// In the ring, in bytes.
inline std::size_t size_of(const worker_event& event) {
    return sizeof event + event.name.size() + event.params.size();
}

// Adds "seq":N,"event":NAME,"params":… to `object`.
void add_event(util::json_object& object, const worker_event& event);
std::string event_json(const worker_event& event);

// EVENT[:FIELD=VALUE…]: FIELD is a path with dots in the params of the event; VALUE is a text or a JSON text.
struct event_pattern {
    std::string name;
    std::vector<std::pair<std::string, std::string>> fields;
    bool matches(const worker_event& event) const;
};

// nullopt: not of that form.
std::optional<event_pattern> parse_event_pattern(std::string_view text);

// The events that a call asks for.
struct event_filter {
    std::vector<event_pattern> until;    // the first that matches ends the wait
    std::vector<event_pattern> collect;  // collected until then
    // Gets the events, also the one that ends the wait, instead of their being collected. False: it did not
    // take the event, which counts as lost.
    std::function<bool(const worker_event& event)> stream;

    bool empty() const { return until.empty() && collect.empty() && stream == nullptr; }
};

class event_ring;

// The events of one call. Registered in the ring during its lifetime; receives events after arm().
class event_watch {
public:
    event_watch(const boost::asio::any_io_executor& executor, event_ring& ring, event_filter filter);
    ~event_watch();
    event_watch(const event_watch&) = delete;
    event_watch& operator=(const event_watch&) = delete;

    // Events of `owner` belong to this call only.
    void set_owner(std::uint64_t owner) { owner_ = owner; }
    // Call it when the request is sent: events from here on can end the wait. Earlier events that no call got
    // are collected.
    void arm();
    bool armed() const { return armed_; }

    const std::vector<event_pattern>& until() const { return filter_.until; }
    bool has_until() const { return !filter_.until.empty(); }
    const std::optional<worker_event>& ended_by() const { return ended_by_; }
    boost::asio::awaitable<void> ended();  // until ended_by() is set; throws what fail() was given
    void fail(const failure& why);

    const util::json_array& collected() const { return collected_; }
    std::uint64_t lost() const { return lost_; }

private:
    friend class event_ring;
    void receive(worker_event& event);
    void keep(const worker_event& event);

    event_ring& ring_;
    event_filter filter_;
    bool armed_ = false;
    std::uint64_t owner_ = 0;
    std::optional<worker_event> ended_by_;
    std::optional<failure> failed_;
    util::manual_reset_event ended_;
    util::json_array collected_;
    std::size_t collected_bytes_ = 0;
    std::uint64_t lost_ = 0;
};

class event_ring {
public:
    void push(std::string name, std::string params, std::uint64_t owner);
    std::uint64_t last() const { return last_; }
    // The process has ended: every wait for its events fails.
    void fail_all(const failure& why);
    // A conversation with the process has ended: the waits for its events fail. Calls whose request is not
    // sent yet go on.
    void fail_armed(const failure& why);
    // Events of the past are not for later calls.
    void forget();

    // All but the watches, for restore() of another ring; nullopt: it cannot be told exactly.
    std::optional<std::string> state() const;
    bool restore(const std::string& state);  // false: it is no such state

private:
    friend class event_watch;
    void drop_oldest();

    std::deque<worker_event> events_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
    // Events by name that were dropped before any call got them; names beyond limits::ring_names_max count
    // under "".
    std::map<std::string, std::uint64_t, std::less<>> lost_;
    std::list<event_watch*> watches_;
};

}  // namespace hob::unit
