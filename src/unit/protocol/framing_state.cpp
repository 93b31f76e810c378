// What a framing leaves to the next one: bytes that are no whole message yet.
#include "unit/protocol/carried.hpp"
#include "unit/protocol/framing.hpp"

namespace hob::unit {

struct header_framing_record {
    std::string rest{};  // base64
    std::int64_t blank = 0;
    std::int64_t length = -1;  // -1: not known
    std::int64_t body = -1;
};

template <util::json_fields::is<header_framing_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("rest", record.rest);
    field("blank", record.blank);
    field("length", record.length);
    field("body", record.body);
}

namespace {

std::int64_t number_of(const std::optional<std::size_t>& size) {
    return size ? static_cast<std::int64_t>(*size) : -1;
}

std::optional<std::size_t> size_of(std::int64_t number) {
    return number < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(number));
}

}  // namespace

std::optional<std::string> header_framing::take_state() {
    if (skip_ > 0) return std::nullopt;
    header_framing_record record;
    record.rest = util::base64_encode(std::string_view(buffer_).substr(consumed_));
    record.blank = static_cast<std::int64_t>(blank_);
    record.length = number_of(length_);
    record.body = number_of(body_);
    return exact_json(record);
}

bool header_framing::restore(const std::string& state) {
    const auto record = util::json_fields::parse<header_framing_record>(state);
    auto rest = record ? util::base64_decode(record->rest) : std::nullopt;
    if (!rest || record->blank < 0) return false;
    buffer_ = std::move(*rest);
    consumed_ = scanned_ = 0;
    blank_ = static_cast<std::size_t>(record->blank);
    length_ = size_of(record->length);
    body_ = size_of(record->body);
    return true;
}

std::optional<std::string> line_framing::take_state() {
    const std::size_t buffered = reader_.buffered();
    const auto rest = reader_.last();
    const bool is_whole = (rest ? rest->line.size() : 0) == buffered && !reader_.is_skipping();
    return is_whole ? std::optional(util::base64_encode(rest ? rest->line : std::string_view())) : std::nullopt;
}

bool line_framing::restore(const std::string& state) {
    const auto rest = util::base64_decode(state);
    if (rest) reader_.feed(*rest);
    return rest.has_value();
}

std::unique_ptr<framing> make_line_framing() { return std::make_unique<line_framing>(); }

}  // namespace hob::unit
