#include "unit/worker/last_words.hpp"

#include <algorithm>
#include <string_view>

namespace hob::unit {
namespace {

constexpr std::string_view blanks = " \t\r";

bool is_blank(std::string_view line) { return line.find_first_not_of(blanks) == std::string_view::npos; }

bool is_frame(std::string_view line) {
    const auto begin = line.find_first_not_of(blanks);
    return begin != 0 && begin != line.npos && line.substr(begin).starts_with("at ");
}

// "TypeError: text", "Error [CODE]: text", "Caused by: java.io.IOException".
bool names_error(std::string_view line) {
    if (line.empty() || blanks.find(line.front()) != std::string_view::npos) return false;
    for (const std::string_view word : {"Error", "Exception"}) {
        const auto at = line.find(word);
        if (at == std::string_view::npos) continue;
        const std::string_view rest = line.substr(at + word.size());
        if (rest.empty() || rest.starts_with(": ") || rest.starts_with(" [")) return true;
    }
    return false;
}

}  // namespace

std::string last_words(const std::vector<std::string>& lines) {
    const auto last = std::find_if_not(lines.rbegin(), lines.rend(), is_blank);
    if (last == lines.rend()) return {};
    if (!last->starts_with("Node.js v") && !is_frame(*last)) return *last;
    const auto error = std::find_if(last, lines.rend(), names_error);
    return error == lines.rend() ? *last : *error;
}

}  // namespace hob::unit
