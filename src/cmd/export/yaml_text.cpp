#include "cmd/export/yaml_text.hpp"

#include <fmt/format.h>

namespace hob::cmd {

std::string yaml_string(std::string_view text) {
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
        const std::string_view three = text.substr(at, 3);
        if (text[at] == '"' || text[at] == '\\') {
            out += '\\';
            out += text[at];
        } else if (text[at] == '\n') {
            out += "\\n";
        } else if (text[at] == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else if (byte == 0xc2 && second >= 0x80 && second < 0xa0) {  // control characters beyond ASCII
            out += fmt::format("\\x{:02x}", second);
            ++at;
        } else if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") {  // breaks, for YAML 1.1
            out += three[2] == '\xa8' ? "\\L" : "\\P";
            at += 2;
        } else if (three == "\xef\xbb\xbf") {
            out += "\\uFEFF";
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out + '"';
}

std::string yaml_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts)
        out += (out.size() > 1 ? ", " : "") + yaml_string(text);
    return out + "]";
}

}  // namespace hob::cmd
