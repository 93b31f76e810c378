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

// The states of the pattern's automaton after a path: the parts that may match the next component.
struct glob::match_state {
    std::vector<bool> next;
    bool covered = false;  // the whole pattern matches the path or a folder that it is in
    bool matched = false;  // it matches the path itself, with at least one component for a `**` at the end
};

glob::match_state glob::match(std::string_view path) const {
    const std::size_t end = parts_.size();
    match_state state{std::vector<bool>(end + 1, false), false, false};
    const auto skip_any_depth = [&](std::vector<bool>& set) {  // `**` also matches no component
        for (std::size_t i = 0; i < end; ++i) {
            if (set[i] && parts_[i] == any_depth) set[i + 1] = true;
        }
    };
    state.next[0] = true;
    skip_any_depth(state.next);
    for (auto part = take_component(path); !part.empty(); part = take_component(path)) {
        const std::string name(part);
        std::vector<bool> after(end + 1, false);
        bool whole = false;
        for (std::size_t i = 0; i < end; ++i) {
            if (!state.next[i]) continue;
            if (parts_[i] == any_depth) {
                after[i] = true;
                whole = whole || i + 1 == end;
            } else if (component_matches(parts_[i], name)) {
                after[i + 1] = true;
                whole = whole || i + 1 == end;
            }
        }
        skip_any_depth(after);
        state.matched = whole;
        state.next = std::move(after);
        state.covered = state.covered || state.next[end];
    }
    return state;
}

bool glob::matches(std::string_view path) const { return match(path).matched; }

bool glob::covers(std::string_view path) const { return match(path).covered; }

bool glob::may_cover_below(std::string_view dir) const {
    const match_state state = match(dir);
    return state.covered || std::find(state.next.begin(), state.next.end(), true) != state.next.end();
}

}  // namespace hob::unit
