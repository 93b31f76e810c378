#include "unit/protocol/renewable_limit.hpp"

#include <fmt/format.h>

#include "util/duration.hpp"

namespace hob::unit {

std::string renewable_limit::expiry_text() const {
    if (last_.expired())
        return fmt::format("no answer within {}, although it reported progress",
                           util::format_duration(whole_));
    return fmt::format("no progress and no answer for {}", util::format_duration(length_));
}

}  // namespace hob::unit
