#include "unit/protocol/progress_tokens.hpp"

#include <charconv>

#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view prefix = "hob-";

}  // namespace

progress_tokens::token::token(std::shared_ptr<progress_tokens> owner, std::string callers_raw)
    : owner_(std::move(owner)), number_(++owner_->last_) {
    owner_->callers_.emplace(number_, std::move(callers_raw));
}

std::string progress_tokens::token::raw() const {
    return util::json_quote(std::string(prefix) + std::to_string(number_));
}

bool progress_tokens::is_ours(std::string_view token_raw) {
    const auto text = util::json_unquote(token_raw);
    return text && text->starts_with(prefix);
}

std::uint64_t progress_tokens::find(std::string_view token_raw, std::string& callers_raw) const {
    const auto text = util::json_unquote(token_raw);
    if (!text || !text->starts_with(prefix)) return 0;
    std::uint64_t number = 0;
    const char* end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data() + prefix.size(), end, number);
    const auto found = callers_.find(number);
    if (error != std::errc{} || at != end || found == callers_.end()) return 0;
    callers_raw = found->second.empty() ? std::string(token_raw) : found->second;
    return number;
}

}  // namespace hob::unit
