#include "unit/protocol/lsp/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "util/json/json_edit.hpp"

namespace hob::unit {

void lsp_progress::on_progress(std::string_view token, std::string_view value) {
    const auto kind = util::json_find_string(value, {"kind"});
    if (kind == "begin" && all_.size() < limits::progress_max) all_.try_emplace(std::string(token));
    const auto known = all_.find(token);
    if (known == all_.end()) return;
    if (kind == "end") {
        all_.erase(known);
        return;
    }
    work& updated = known->second;
    if (auto title = util::json_find_string(value, {"title"})) updated.title = std::move(*title);
    if (const auto percent = util::json_find_integer(value, {"percentage"})) updated.percent = *percent;
}

bool lsp_progress::is_awaited() const {
    return std::any_of(all_.begin(), all_.end(), [](const auto& each) { return each.second.awaited; });
}

void lsp_progress::stop_awaiting() {
    for (auto& [token, each] : all_)
        each.awaited = false;
}

std::string lsp_progress::text() const {
    if (all_.empty()) return {};
    const auto& [title, percent, awaited] = all_.begin()->second;
    const std::string what = title.empty() ? "working" : title;
    return percent ? fmt::format("{} {} %", what, *percent) : what;
}

}  // namespace hob::unit
