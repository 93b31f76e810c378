#include "cmd/core/bad_ends.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/core/output.hpp"
#include "identity.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

std::string bad_end_line(const unit_view& unit) {
    return fmt::format("{}: '{}'{} {}\n", this_program.name, unit.name, unit.leaves_processes ? ":" : " was",
                       unit.detail);
}

bool tell_bad_ends(const std::string& units_json, const global_options& global) {
    if (units_json.empty()) return false;
    util::json_object whole;
    whole.add("units", util::raw_json{units_json});
    const auto units = read_units(std::move(whole).text());
    if (!global.quiet && !global.json) {
        for (const auto& unit : units)
            print_error(bad_end_line(unit));
    }
    return std::any_of(units.begin(), units.end(),
                       [](const unit_view& unit) { return unit.leaves_processes; });
}

}  // namespace hob::cmd
