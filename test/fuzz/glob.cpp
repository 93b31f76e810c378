// A pattern, a newline, a path: what a glob says of it against the obvious matcher, and against itself.

#include "unit/watch/glob.hpp"

#include <fnmatch.h>

#include <map>
#include <string>
#include <vector>

#include "fuzz/target.hpp"

using namespace hob;
using test::claim;

namespace {

std::vector<std::string> components(std::string_view path) {
    std::vector<std::string> parts;
    for (auto part = unit::take_component(path); !part.empty(); part = unit::take_component(path))
        parts.emplace_back(part);
    return parts;
}

// Pattern from `i` on against path from `k` on, as one would write it down.
struct obvious {
    const std::vector<std::string>& pattern;
    const std::vector<std::string>& path;
    std::map<std::pair<std::size_t, std::size_t>, bool> known{};

    bool matches(std::size_t i, std::size_t k) {
        if (i == pattern.size()) return k == path.size();
        const auto [entry, fresh] = known.try_emplace({i, k});
        if (fresh) {
            bool found = false;
            if (pattern[i] != "**")
                found = k < path.size() && ::fnmatch(pattern[i].c_str(), path[k].c_str(), 0) == 0 &&
                        matches(i + 1, k + 1);
            else
                found = (k < path.size() && matches(i, k + 1)) || matches(i + 1, k);
            known[{i, k}] = found;
            return found;
        }
        return entry->second;
    }
};

std::string join(const std::vector<std::string>& parts, std::size_t count, bool escaped) {
    std::string path;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) path += '/';
        for (const char c : parts[i]) {
            if (escaped) path += '\\';
            path += c;
        }
    }
    return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos || text.find('\0') != std::string_view::npos) return 0;
    std::string_view pattern = text.substr(0, newline);
    const auto path = components(text.substr(newline + 1));
    const unit::glob glob(pattern);
    const std::string whole = join(path, path.size(), false);
    const bool matched = glob.matches(whole);
    const bool covered = glob.covers(whole);

    if (pattern.starts_with("./")) pattern.remove_prefix(2);
    const auto parts = components(pattern);
    if (parts.size() <= 64 && path.size() <= 64) {
        obvious reference{parts, path};
        // `**` at the end needs something: of a pattern that ends so, the path's last component.
        const bool open_end = !parts.empty() && parts.back() == "**";
        bool expected = !path.empty() && !parts.empty() && reference.matches(0, 0);
        if (open_end && expected) {
            std::vector<std::string> some = parts;
            some.push_back("*");
            obvious at_least_one{some, path};
            expected = at_least_one.matches(0, 0);
        }
        claim(matched == expected, "a glob matches what it says");
    }
    claim(!matched || covered, "what is matched is covered");
    if (!covered) return 0;
    claim(glob.covers(whole + "/x"), "what is in a covered folder is covered");
    for (std::size_t above = 0; above <= path.size(); ++above)
        claim(glob.may_cover_below(join(path, above, false)), "folders above what is covered are entered");
    claim(path.empty() || unit::glob(join(path, path.size(), true)).matches(whole),
          "an escaped path is itself");
    return 0;
}
