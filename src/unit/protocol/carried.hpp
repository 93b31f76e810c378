#pragma once
// What another program in the daemon's process needs to go on with a conversation, as JSON that comes back as
// it was.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "unit/protocol/protocol_session.hpp"
#include "util/base64.hpp"
#include "util/json/json_fields.hpp"
#include "util/nul_list.hpp"
#include "util/utf8.hpp"

namespace hob::unit {

// Raises with each change of any of the records: nothing of another version is gone on with.
inline constexpr std::int64_t carried_version = 1;

inline bool is_exact_in_json(const std::string& text) { return util::is_utf8(text); }
inline bool is_exact_in_json(const std::vector<std::string>& texts) {
    for (const auto& each : texts)
        if (!util::is_utf8(each)) return false;
    return true;
}
template <typename Number>
requires std::is_arithmetic_v<Number>
bool is_exact_in_json(Number) { return true; }

// As util::json_fields::to_json; nullopt: a text of it is not UTF-8, and would not come back as it was.
template <typename Struct>
std::optional<std::string> exact_json(const Struct& from) {
    bool exact = true;
    each_field(from,
               [&exact](std::string_view, const auto& member) { exact = exact && is_exact_in_json(member); });
    if (!exact) return std::nullopt;
    return util::json_fields::to_json(from);
}

// What protocol_session::state_for_successor() returns.
template <typename Struct>
std::optional<carried_session> carried_record(const Struct& record) {
    auto text = exact_json(record);
    if (!text) return std::nullopt;
    return carried_session{std::move(*text), {}};
}

// A list of records as a list of texts. False: one of them is not exact.
template <typename Struct>
bool add_exact(std::vector<std::string>& to, const Struct& record) {
    auto text = exact_json(record);
    if (text) to.push_back(std::move(*text));
    return text.has_value();
}

// False: one of the texts is no record.
template <typename Struct>
bool parse_all(const std::vector<std::string>& texts, std::vector<Struct>& into) {
    for (const auto& text : texts) {
        auto record = util::json_fields::parse<Struct>(text);
        if (!record) return false;
        into.push_back(std::move(*record));
    }
    return true;
}

// Texts without zero bytes, such as names of files, of any number and in any encoding, as one.
template <typename Texts>
std::string pack(const Texts& texts) {
    return util::base64_encode(util::join_nul_list(texts));
}

// nullopt: it was not made by pack().
inline std::optional<std::vector<std::string>> unpack(std::string_view packed) {
    const auto bytes = util::base64_decode(packed);
    if (!bytes || (!bytes->empty() && bytes->back() != '\0')) return std::nullopt;
    return util::split_nul_list(*bytes);
}

}  // namespace hob::unit
