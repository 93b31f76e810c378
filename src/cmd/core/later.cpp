#include "cmd/core/later.hpp"

#include <string>

namespace hob::cmd {
namespace {

struct later_verb {
    std::string_view name;
    std::string_view what;
    exit_code exit;
};

constexpr later_verb later_verbs[] = {
    {"enable", "starting at boot is not done by this version of hob", exit_code::failed},
    {"disable", "starting at boot is not done by this version of hob", exit_code::failed},
};

}  // namespace

std::optional<refusal> refuse_later_verb(std::string_view verb) {
    for (const auto& later : later_verbs) {
        if (later.name != verb) continue;
        const std::string message = "cannot do '" + std::string(verb) + "': " + std::string(later.what);
        return refusal{failure(error_kind::unit_failed, message, "hob help lists what it does"), later.exit};
    }
    return std::nullopt;
}

}  // namespace hob::cmd
