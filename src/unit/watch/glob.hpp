#pragma once
// Patterns of paths, component by component: a component `**` matches any number of components, and inside a
// component
// `*`, `?`, `[…]` and `\` have their meaning in a shell. The time is linear in the length of the path for any
// pattern.

#include <string>
#include <string_view>
#include <vector>

namespace hob::unit {

class glob {
public:
    explicit glob(std::string_view pattern);  // relative; a leading "./" or "/" is dropped

    // The path itself, exactly. `**` at the end needs at least one component.
    bool matches(std::string_view path) const;
    // The path, or a folder that it is in: "src/**" and "src" are the same.
    bool covers(std::string_view path) const;
    // Whether something in folder `dir`, or deeper, could be covered. "" is the root.
    bool may_cover_below(std::string_view dir) const;

private:
    struct match_state;
    match_state match(std::string_view path) const;

    std::vector<std::string> parts_;
};

// Removes the next component from `path` and returns it. Empty at the end.
std::string_view take_component(std::string_view& path);

}  // namespace hob::unit
