#pragma once
// The severity threshold of each channel, parsed from "info,ipc=debug". Part of util/log.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/log/log.hpp"

namespace hob::util {

// More severe than fatal: no record passes.
inline constexpr int level_off = static_cast<int>(level::fatal) + 1;

class log_levels {
public:
    // nullopt and `reason`: the text does not parse. Empty text: info.
    static std::optional<log_levels> parse(std::string_view text, std::string& reason);

    bool enabled(level severity, std::string_view channel) const;
    int lowest() const { return lowest_; }  // no channel logs records below it

private:
    int default_threshold_ = static_cast<int>(level::info);
    int lowest_ = static_cast<int>(level::info);
    std::vector<std::pair<std::string, int>> channels_;
};

}  // namespace hob::util
