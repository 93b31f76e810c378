#include "unit/spec/spec.hpp"

#include <cstddef>

namespace hob::unit {
namespace {

template <typename Enum, std::size_t Count>
std::string_view word_for(Enum value, const std::string_view (&words)[Count]) {
    return words[static_cast<std::size_t>(value)];
}

}  // namespace

std::string_view name_of(unit_kind kind) { return word_for(kind, unit_kind_words); }
std::string_view name_of(kill_scope scope) { return word_for(scope, kill_scope_words); }
std::string_view name_of(restart_policy policy) { return word_for(policy, restart_policy_words); }
std::string_view name_of(ready_form form) { return word_for(form, ready_form_words); }
std::string_view name_of(catch_up_policy policy) { return word_for(policy, catch_up_policy_words); }
std::string_view name_of(overlap_policy policy) { return word_for(policy, overlap_policy_words); }

const unit_spec* config::find(std::string_view name) const {
    for (const auto& unit : units) {
        if (unit.name == name) return &unit;
    }
    return nullptr;
}

}  // namespace hob::unit
