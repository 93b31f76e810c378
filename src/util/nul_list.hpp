#pragma once
// Texts as one, each followed by a NUL: as /proc has environments and command lines.

#include <string>
#include <string_view>
#include <vector>

namespace hob::util {

template <typename Texts>
std::string join_nul_list(const Texts& texts) {
    std::string bytes;
    for (const std::string& each : texts)
        bytes.append(each).push_back('\0');
    return bytes;
}

// The NUL of the last text may be missing.
inline std::vector<std::string> split_nul_list(std::string_view bytes) {
    std::vector<std::string> texts;
    while (!bytes.empty()) {
        const std::string_view text = bytes.substr(0, bytes.find('\0'));
        texts.emplace_back(text);
        bytes.remove_prefix(text.size() + (text.size() < bytes.size() ? 1 : 0));
    }
    return texts;
}

}  // namespace hob::util
