#include "util/json/json_cut.hpp"

#include <optional>
#include <utility>

#include "limits.hpp"
#include "util/json/json_scan.hpp"

namespace hob::util {
namespace {

void trim_end(std::string_view& text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
}

bool take_last(std::string_view& text, char byte) {
    trim_end(text);
    if (!text.ends_with(byte)) return false;
    text.remove_suffix(1);
    return true;
}

// The offset of the quote that begins the string that `text` ends with; npos: there is none.
std::size_t begin_of_string(std::string_view text) {
    if (text.size() < 2 || text.back() != '"') return std::string_view::npos;
    for (std::size_t at = text.rfind('"', text.size() - 2); at != std::string_view::npos && at > 0;
         at = text.rfind('"', at - 1)) {
        std::size_t backslashes = 0;
        while (backslashes < at && text[at - 1 - backslashes] == '\\')
            ++backslashes;
        if (backslashes % 2 == 0) return at;
    }
    return std::string_view::npos;
}

// Removes a scalar from the end of `text` and returns it; empty: the value there is none.
std::string_view take_scalar(std::string_view& text) {
    trim_end(text);
    std::size_t from = begin_of_string(text);
    if (from == std::string_view::npos) {
        const std::size_t before = text.find_last_not_of("-+.0123456789eEtrufalsn");
        from = before == std::string_view::npos ? text.size() : before + 1;
    }
    const std::string_view scalar = text.substr(from);
    text.remove_suffix(scalar.size());
    return scalar;
}

// Removes `"key": scalar` from the end of `text`.
std::optional<json_member> take_member(std::string_view& text) {
    json_member member;
    member.value = take_scalar(text);
    if (validate_json(member.value, 1) || !take_last(text, ':')) return std::nullopt;
    trim_end(text);
    member.key_raw = text.ends_with('"') ? take_scalar(text) : std::string_view();
    auto key = json_unquote(member.key_raw);
    if (!key) return std::nullopt;
    member.key = std::move(*key);
    return member;
}

}  // namespace

std::vector<json_member> json_leading_members(std::string_view head) {
    std::vector<json_member> members;
    json_scanner scanner(head, limits::json_depth_max);
    if (!scanner.take('{')) return members;
    while (scanner.key()) {
        json_member member;
        member.key_raw = scanner.last();
        if (!scanner.value()) break;
        member.value = scanner.last();
        // A number that the cut may have shortened is not complete: something must follow.
        if (!scanner.take(',')) break;
        member.key = json_unquote(member.key_raw).value_or("");
        members.push_back(std::move(member));
    }
    return members;
}

std::vector<json_member> json_trailing_members(std::string_view tail) {
    std::vector<json_member> members;
    if (!take_last(tail, '}')) return members;
    while (auto member = take_member(tail)) {
        members.push_back(std::move(*member));
        if (!take_last(tail, ',')) break;
    }
    return members;
}

std::size_t json_value_prefix(std::string_view text) {
    json_scanner scanner(text, limits::json_depth_max);
    if (!scanner.value()) return 0;
    return static_cast<std::size_t>(scanner.last().data() + scanner.last().size() - text.data());
}

}  // namespace hob::util
