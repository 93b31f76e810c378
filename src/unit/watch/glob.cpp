#include "unit/watch/glob.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace hob::unit {
namespace {

constexpr std::string_view any_depth = "**";

bool component_matches(const std::string& pattern, const std::string& name) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

std::string_view take_component(std::string_view& path) {
    while (path.starts_with('/'))
        path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    return part;
}

glob::glob(std::string_view pattern) {
    if (pattern.starts_with("./")) pattern.remove_prefix(2);
    for (auto part = take_component(pattern); !part.empty(); part = take_component(pattern)) {
        if (part == any_depth && !parts_.empty() && parts_.back() == any_depth) continue;
        parts_.emplace_back(part);
    }
}

// How far the pattern is matched after the path: which of its parts may come next.
struct glob::reach {
    std::vector<bool> next;
    bool covered = false;  // the whole pattern was matched by the path or a folder that it is in
    bool matched = false;  // by the path, `**` at the end having taken something
};

glob::reach glob::walk(std::string_view path) const {
    const std::size_t end = parts_.size();
    reach now{std::vector<bool>(end + 1, false), false, false};
    const auto open = [&](std::vector<bool>& set) {  // `**` may stand for nothing
        for (std::size_t i = 0; i < end; ++i) {
            if (set[i] && parts_[i] == any_depth) set[i + 1] = true;
        }
    };
    now.next[0] = true;
    open(now.next);
    for (auto part = take_component(path); !part.empty(); part = take_component(path)) {
        const std::string name(part);
        std::vector<bool> after(end + 1, false);
        bool taken = false;
        for (std::size_t i = 0; i < end; ++i) {
            if (!now.next[i]) continue;
            if (parts_[i] == any_depth) {
                after[i] = true;
                taken = taken || i + 1 == end;
            } else if (component_matches(parts_[i], name)) {
                after[i + 1] = true;
                taken = taken || i + 1 == end;
            }
        }
        open(after);
        now.matched = taken;
        now.next = std::move(after);
        now.covered = now.covered || now.next[end];
    }
    return now;
}

bool glob::matches(std::string_view path) const { return walk(path).matched; }

bool glob::covers(std::string_view path) const { return walk(path).covered; }

bool glob::may_cover_below(std::string_view dir) const {
    const reach now = walk(dir);
    return now.covered || std::find(now.next.begin(), now.next.end(), true) != now.next.end();
}

}  // namespace hob::unit
