#include "unit/spec/unit_status_json.hpp"

#include "util/clock.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

std::string number_or_null(const std::optional<std::int64_t>& number) {
    return number ? std::to_string(*number) : "null";
}

}  // namespace

std::string unit_json(const unit_status& status) {
    std::string text = R"({"name":)";
    util::json_quote_to(text, status.name);
    text += R"(,"kind":")";
    text += name_of(status.kind);
    text += R"(","state":)";
    util::json_quote_to(text, name_of(status.state));
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
    text += R"(,"detail":)" + (status.detail.empty() ? "null" : util::json_quote(status.detail));
    if (status.changed) text += R"(,"changed":true)";
    text += R"(,"rss_kib":)" + number_or_null(status.rss_kib);
    text += R"(,"cpu_ms":)" + number_or_null(status.cpu_ms);
    text += R"(,"next_at":)" + (status.next_at ? util::json_quote(util::rfc3339(*status.next_at)) : "null");
    return text + R"(,"last_run":)" + (status.last_run ? run_json(*status.last_run) : "null") + "}";
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
