#include "cmd/core/unit_prefix.hpp"

#include <algorithm>
#include <array>

#include "cmd/core/table.hpp"

namespace hob::cmd {
namespace {

constexpr int name_columns = 18;  // of a terminal

// In turn. Red is for errors only.
constexpr std::array<std::string_view, 6> colors{"36", "33", "32", "35", "34", "96"};

}  // namespace

std::size_t unit_prefix::index_of(std::string_view unit) {
    const auto found =
        std::find_if(names_.begin(), names_.end(), [&](const name& known) { return known.unit == unit; });
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    std::string shown(unit);
    if (out_.interactive) shown = shortened(printable(unit, out_.utf8), name_columns, out_.utf8);
    width_ = std::max(width_, display_width(shown));
    names_.push_back({std::string(unit), std::move(shown)});
    return names_.size() - 1;
}

void unit_prefix::add(std::string_view unit) { index_of(unit); }

std::string unit_prefix::of(std::string_view unit) {
    const std::size_t index = index_of(unit);
    const std::string& shown = names_[index].shown;
    const int missing = out_.interactive ? width_ - display_width(shown) : 0;
    const std::string text = shown + std::string(static_cast<std::size_t>(missing), ' ') + " | ";
    return paint(text, colors[index % colors.size()], out_.color);
}

}  // namespace hob::cmd
