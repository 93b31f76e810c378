// What a ring of events leaves to the next one.
#include "unit/protocol/carried.hpp"
#include "unit/protocol/event_ring.hpp"

namespace hob::unit {

struct event_record {
    std::int64_t seq = 0;
    std::string name{};
    std::string params{};
    bool seen = false;
};

template <util::json_fields::is<event_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("seq", record.seq);
    field("name", record.name);
    field("params", record.params);
    field("seen", record.seen);
}

struct lost_events_record {
    std::string name{};
    std::int64_t count = 0;
};

template <util::json_fields::is<lost_events_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("name", record.name);
    field("count", record.count);
}

struct event_ring_record {
    std::int64_t last = 0;
    std::vector<std::string> events{};
    std::vector<std::string> lost{};
};

template <util::json_fields::is<event_ring_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("last", record.last);
    field("events", record.events);
    field("lost", record.lost);
}

std::optional<std::string> event_ring::state() const {
    event_ring_record record;
    bool exact = true;
    record.last = static_cast<std::int64_t>(last_);
    for (const auto& each : events_) {
        const event_record event{static_cast<std::int64_t>(each.seq), each.name, each.params, each.seen};
        exact = exact && add_exact(record.events, event);
    }
    for (const auto& [name, count] : lost_) {
        const lost_events_record lost{name, static_cast<std::int64_t>(count)};
        exact = exact && add_exact(record.lost, lost);
    }
    return exact ? exact_json(record) : std::nullopt;
}

bool event_ring::restore(const std::string& state) {
    const auto record = util::json_fields::parse<event_ring_record>(state);
    std::vector<event_record> events;
    std::vector<lost_events_record> lost;
    if (!record || !parse_all(record->events, events) || !parse_all(record->lost, lost)) return false;
    last_ = static_cast<std::uint64_t>(record->last);
    for (auto& each : events) {
        worker_event event;
        event.seq = static_cast<std::uint64_t>(each.seq);
        event.name = std::move(each.name);
        event.params = std::move(each.params);
        event.seen = each.seen;
        bytes_ += size_of(event);
        events_.push_back(std::move(event));
    }
    for (auto& each : lost)
        lost_.emplace(std::move(each.name), static_cast<std::uint64_t>(each.count));
    return true;
}

}  // namespace hob::unit
