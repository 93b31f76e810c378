#include "unit/protocol/dap/program_output.hpp"

#include "unit/protocol/message_codec.hpp"
#include "util/json/json_edit.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t kept_max = 2000;  // bytes

}  // namespace

void dap_program_output::on_output(std::string_view params) {
    if (util::json_find_string(params, {"category"}) == "telemetry") return;
    text_ += util::json_find_string(params, {"output"}).value_or("");
    std::size_t cut = text_.size() > kept_max ? text_.size() - kept_max : 0;
    while (cut > 0 && cut < text_.size() && (static_cast<unsigned char>(text_[cut]) & 0xC0) == 0x80)
        ++cut;  // not within a character
    text_.erase(0, cut);
}

std::string dap_program_output::last_lines() const {
    std::string text = text_;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    return one_line(std::move(text));
}

failure dap_program_output::added_to(const failure& refused) const {
    const std::string said = last_lines();
    if (said.empty() || !refused.hint().empty()) return refused;
    return failure(refused.kind(), refused.tried(), refused.reason(), "it said: " + said, refused.detail());
}

}  // namespace hob::unit
