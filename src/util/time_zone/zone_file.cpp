// The content of a zone file.
#include "util/time_zone/time_zone.hpp"

#include <algorithm>
#include <utility>

namespace hob::util {
namespace {

constexpr std::size_t header_size = 44;

// Reads big-endian numbers off the front. After one failure all later reads give 0.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

    std::int64_t number(std::size_t size) {
        if (!has(size)) return 0;
        const bool negative = (static_cast<unsigned char>(rest_.front()) & 0x80) != 0;
        std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
        for (std::size_t at = 0; at < size; ++at)
            value = value << 8 | static_cast<unsigned char>(rest_[at]);
        rest_.remove_prefix(size);
        return static_cast<std::int64_t>(value);
    }
    std::size_t count() { return static_cast<std::size_t>(number(4) & 0xFFFFFFFF); }
    void skip(std::size_t size) {
        if (has(size)) rest_.remove_prefix(size);
    }
    std::string_view rest() const { return rest_; }
    bool good() const { return good_; }

private:
    bool has(std::size_t size) {
        good_ = good_ && rest_.size() >= size;
        if (!good_) rest_ = {};
        return good_;
    }

    std::string_view rest_;
    bool good_ = true;
};

struct header {
    char version = 0;
    std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, changes = 0, types = 0, letters = 0;

    // Of what follows it; `width`: the size of a time.
    std::size_t body_size(std::size_t width) const {
        return changes * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard_flags + utc_flags;
    }
};

std::optional<header> read_header(byte_reader& from) {
    if (!from.rest().starts_with("TZif") || from.rest().size() < header_size) return std::nullopt;
    header found;
    found.version = from.rest()[4];
    from.skip(20);
    found.utc_flags = from.count();
    found.standard_flags = from.count();
    found.leaps = from.count();
    found.changes = from.count();
    found.types = from.count();
    found.letters = from.count();
    const bool sane = found.types > 0 && found.types <= 256 && found.changes <= 100'000 &&
                      found.letters <= 100'000 && found.leaps <= 100'000 && found.utc_flags <= 256 &&
                      found.standard_flags <= 256;
    return sane ? std::optional(found) : std::nullopt;
}

}  // namespace

std::optional<time_zone> time_zone::parse(std::string name, std::string_view content) {
    byte_reader from(content);
    auto head = read_header(from);
    std::size_t width = 4;
    if (head && head->version >= '2') {  // the same again, with times of eight bytes
        from.skip(head->body_size(width));
        head = read_header(from);
        width = 8;
    }
    if (!head) return std::nullopt;
    time_zone zone;
    zone.name_ = std::move(name);
    std::vector<std::int64_t> times, offsets;
    for (std::size_t at = 0; at < head->changes; ++at)
        times.push_back(from.number(width));
    const std::string_view types = from.rest().substr(0, std::min(head->changes, from.rest().size()));
    from.skip(head->changes);
    for (std::size_t at = 0; at < head->types; ++at) {
        offsets.push_back(from.number(4));
        from.skip(2);
    }
    from.skip(head->body_size(width) - head->changes * (width + 1) - head->types * 6);
    if (!from.good() || !std::is_sorted(times.begin(), times.end())) return std::nullopt;
    zone.first_offset_ = offsets.front();
    for (std::size_t at = 0; at < times.size(); ++at) {
        const auto type = static_cast<unsigned char>(types[at]);
        if (type >= offsets.size()) return std::nullopt;
        zone.changes_.push_back({times[at], offsets[type]});
    }
    std::string_view rule = from.rest();
    if (rule.size() > 2 && rule.front() == '\n') {
        rule.remove_prefix(1);
        zone.rule_ = zone_rule::parse(rule.substr(0, rule.find('\n')));
        if (!zone.rule_) return std::nullopt;
    }
    return zone;
}

time_zone time_zone::utc(std::string name) {
    time_zone zone;
    zone.name_ = std::move(name);
    return zone;
}

std::int64_t time_zone::offset_at(std::int64_t utc_seconds) const {
    const auto after =
        std::upper_bound(changes_.begin(), changes_.end(), utc_seconds,
                         [](std::int64_t time, const change& each) { return time < each.time; });
    if (after == changes_.end() && rule_) return rule_->offset_at(utc_seconds);
    return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

}  // namespace hob::util
