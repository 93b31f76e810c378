#include "util/log/log_levels.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace hob::util {
namespace {

constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warning", "error", "fatal"};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<int> threshold_named(std::string_view name) {
    if (name == "off") return level_off;
    if (const auto severity = level_named(name)) return static_cast<int>(*severity);
    return std::nullopt;
}

bool is_channel(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

}  // namespace

std::string_view name_of(level severity) { return names[static_cast<std::size_t>(severity)]; }

std::optional<level> level_named(std::string_view name) {
    if (name == "warn") return level::warning;
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<level>(found - names.begin());
}

std::optional<log_levels> log_levels::parse(std::string_view text, std::string& reason) {
    log_levels levels;
    bool has_default = false;
    if (trimmed(text).empty()) return levels;
    for (std::size_t at = 0; at <= text.size();) {
        const auto comma = std::min(text.find(',', at), text.size());
        const std::string_view item = trimmed(text.substr(at, comma - at));
        at = comma + 1;
        const auto equals = item.find('=');
        const bool for_channel = equals != std::string_view::npos;
        const std::string_view word = for_channel ? trimmed(item.substr(equals + 1)) : item;
        const auto threshold = threshold_named(word);
        if (!threshold) {
            reason.assign("unknown level '").append(word);
            reason.append("' (one of off trace debug info warning error fatal)");
            return std::nullopt;
        }
        if (!for_channel) {
            if (has_default) {
                reason.assign("two levels for all channels, the second '").append(word).append("'");
                return std::nullopt;
            }
            has_default = true;
            levels.default_threshold_ = *threshold;
            continue;
        }
        const std::string_view channel = trimmed(item.substr(0, equals));
        if (!is_channel(channel)) {
            reason.assign("'").append(channel).append("' is no channel's name");
            return std::nullopt;
        }
        levels.channels_.emplace_back(channel, *threshold);
    }
    levels.lowest_ = levels.default_threshold_;
    for (const auto& [channel, threshold] : levels.channels_)
        levels.lowest_ = std::min(levels.lowest_, threshold);
    return levels;
}

bool log_levels::enabled(level severity, std::string_view channel) const {
    const int value = static_cast<int>(severity);
    if (value < lowest_) return false;
    // The last entry of a channel counts.
    for (auto entry = channels_.rbegin(); entry != channels_.rend(); ++entry) {
        if (entry->first == channel) return value >= entry->second;
    }
    return value >= default_threshold_;
}

std::optional<std::string> bad_levels(std::string_view levels) {
    std::string reason;
    if (log_levels::parse(levels, reason)) return std::nullopt;
    return reason;
}

std::string effective_levels(const std::string& configured, const char* variable) {
    const char* const levels = std::getenv(variable);
    if (levels == nullptr || *levels == '\0' || bad_levels(levels)) return configured;
    return levels;
}

}  // namespace hob::util
