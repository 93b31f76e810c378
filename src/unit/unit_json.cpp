#include "unit/unit_json.hpp"

#include "util/clock.hpp"
#include "util/json_text.hpp"

namespace hob::unit {

std::string unit_json(const unit_status& status) {
    std::string text = R"({"name":)";
    util::json_quote_to(text, status.name);
    text += R"(,"kind":")";
    text += name_of(status.kind);
    text += R"(","state":)";
    util::json_quote_to(text, status.state);
    text += R"(,"pid":)" + (status.pid > 0 ? std::to_string(status.pid) : "null");
    text += R"(,"since":)";
    if (status.since) {
        util::json_quote_to(text, util::rfc3339(*status.since));
    } else {
        text += "null";
    }
    text += R"(,"restarts":)" + std::to_string(status.restarts) + R"(,"exit":)";
    if (status.exit) {
        util::json_quote_to(text, *status.exit);
    } else {
        text += "null";
    }
    return text + R"(,"next_at":null,"last_run":null})";
}

std::string units_json(std::span<const unit_status> units) {
    std::string text = "[";
    for (const auto& status : units) {
        if (text.size() > 1) text += ',';
        text += unit_json(status);
    }
    return text + "]";
}

}  // namespace hob::unit
