#include "unit/protocol/dap/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {

void dap_progress::work::update(std::string_view params) {
    if (auto text = util::json_find_string(params, {"message"})) message = std::move(*text);
    const std::string_view number = util::json_find(params, {"percentage"});
    if (const auto whole = util::json_integer(number.substr(0, number.find('.')))) percent = whole;
}

bool dap_progress::on_event(std::string_view name, std::string_view params) {
    const std::string id(util::json_find(params, {"progressId"}));
    const auto known =
        std::find_if(all_.begin(), all_.end(), [&id](const work& each) { return each.id == id; });
    if (name == "progressStart" && known == all_.end()) {
        if (all_.size() >= limits::progress_max) all_.erase(all_.begin());
        work started{id, util::json_find_string(params, {"title"}).value_or(""), {}, {}};
        started.update(params);
        all_.push_back(std::move(started));
    } else if (name == "progressUpdate" && known != all_.end()) {
        known->update(params);
    } else if (name == "progressEnd" && known != all_.end()) {
        all_.erase(known);
    } else {
        return false;
    }
    return true;
}

std::string dap_progress::text() const {
    if (all_.empty()) return {};
    const work& newest = all_.back();
    std::string text = newest.title.empty() ? "working" : newest.title;
    if (!newest.message.empty()) text += ": " + newest.message;
    return newest.percent ? fmt::format("{} {} %", text, *newest.percent) : text;
}

}  // namespace hob::unit
