#include "unit/protocol/event_ring.hpp"

#include <algorithm>

#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

std::string_view field_of(std::string_view params, std::string_view path) {
    while (!path.empty() && !params.empty()) {
        const std::size_t dot = path.find('.');
        params = util::json_member_of(params, path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    return params;
}

bool any_matches(const std::vector<event_pattern>& patterns, const worker_event& event) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const event_pattern& pattern) { return pattern.matches(event); });
}

}  // namespace

void add_event(util::json_object& object, const worker_event& event) {
    object.add("seq", event.seq).add("event", event.name);
    if (!event.params.empty()) object.add("params", util::raw_json{event.params});
}

std::string event_json(const worker_event& event) {
    util::json_object object;
    add_event(object, event);
    return std::move(object).text();
}

bool event_pattern::matches(const worker_event& event) const {
    if (name != event.name) return false;
    for (const auto& [path, value] : fields) {
        const std::string_view found = field_of(event.params, path);
        if (found.empty() || (found != value && util::json_display_text(found) != value)) return false;
    }
    return true;
}

std::optional<event_pattern> parse_event_pattern(std::string_view text) {
    event_pattern pattern;
    std::size_t colon = text.find(':');
    pattern.name = text.substr(0, colon);
    while (colon != std::string_view::npos) {
        text.remove_prefix(colon + 1);
        colon = text.find(':');
        const std::string_view field = text.substr(0, colon);
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos || equals == 0) return std::nullopt;
        pattern.fields.emplace_back(field.substr(0, equals), field.substr(equals + 1));
    }
    // No protocol has such names: `stopped|exited` is meant as several.
    if (pattern.name.empty() || pattern.name.find_first_of(" \t|") != std::string::npos) return std::nullopt;
    return pattern;
}

event_watch::event_watch(const boost::asio::any_io_executor& executor, event_ring& ring, event_filter filter)
    : ring_(ring), filter_(std::move(filter)), ended_(executor) {
    ring_.watches_.push_back(this);
}

event_watch::~event_watch() { ring_.watches_.remove(this); }

void event_watch::arm() {
    if (armed_) return;
    for (auto& event : ring_.events_) {
        if (!event.seen && event.owner == 0 && any_matches(filter_.collect, event)) {
            keep(event);
            event.seen = true;
        }
    }
    for (const auto& pattern : filter_.collect) {
        if (const auto found = ring_.lost_.find(pattern.name); found != ring_.lost_.end()) {
            lost_ += found->second;
            ring_.lost_.erase(found);
        }
    }
    armed_ = true;
}

void event_watch::receive(worker_event& event) {
    if (!armed_ || ended_by_ || (event.owner != 0 && event.owner != owner_)) return;
    const bool ends = any_matches(filter_.until, event);
    if (ends || any_matches(filter_.collect, event)) {
        if (!ends || filter_.stream) keep(event);
        event.seen = true;
    }
    if (!ends) return;
    ended_by_ = event;
    ended_.set();
}

void event_watch::keep(const worker_event& event) {
    if (filter_.stream) {
        if (!filter_.stream(event)) ++lost_;
        return;
    }
    const std::string text = event_json(event);
    if (collected_bytes_ + text.size() > limits::gathered_events_max) {
        ++lost_;
    } else {
        collected_bytes_ += text.size() + 1;
        collected_.add(util::raw_json{text});
    }
}

boost::asio::awaitable<void> event_watch::ended() {
    co_await ended_.wait();
    if (failed_) throw failure(*failed_);
}

void event_watch::fail(const failure& why) {
    if (ended_by_ || failed_) return;
    failed_.emplace(why);
    ended_.set();
}

void event_ring::push(std::string name, std::string params, std::uint64_t owner) {
    worker_event event;
    event.seq = ++last_;
    event.name = std::move(name);
    event.params = std::move(params);
    event.owner = owner;
    for (auto* watch : watches_)
        watch->receive(event);
    if (owner != 0) return;  // no later call may get it
    bytes_ += size_of(event);
    events_.push_back(std::move(event));
    while (events_.size() > limits::ring_events_max || bytes_ > limits::ring_bytes_max)
        drop_oldest();
}

void event_ring::drop_oldest() {
    const worker_event& oldest = events_.front();
    if (!oldest.seen) {
        const bool counted = lost_.size() < limits::ring_names_max || lost_.contains(oldest.name);
        ++lost_[counted ? oldest.name : std::string()];
    }
    bytes_ -= size_of(oldest);
    events_.pop_front();
}

void event_ring::fail_all(const failure& why) {
    for (auto* watch : watches_)
        watch->fail(why);
}

void event_ring::fail_armed(const failure& why) {
    for (auto* watch : watches_) {
        if (watch->armed()) watch->fail(why);
    }
}

void event_ring::forget() {
    events_.clear();
    bytes_ = 0;
    lost_.clear();
}

}  // namespace hob::unit
