#pragma once
// Which records are wanted: "info,ipc=debug" as a table. Part of util/log.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/log.hpp"

namespace hob::util {

// One more severe than fatal: nothing is wanted.
inline constexpr int level_off = static_cast<int>(level::fatal) + 1;

class log_levels {
public:
    // nullopt, and the reason in `why`: the text does not parse. Empty text: info.
    static std::optional<log_levels> parse(std::string_view text, std::string& why);

    bool wants(level severity, std::string_view channel) const;
    int lowest() const { return lowest_; }  // what no channel wants needs no look at the table

private:
    int otherwise_ = static_cast<int>(level::info);
    int lowest_ = static_cast<int>(level::info);
    std::vector<std::pair<std::string, int>> channels_;
};

}  // namespace hob::util
