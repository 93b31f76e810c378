#pragma once
// Patterns of paths, component by component: `**` alone in a component stands for any number of them, and
// within one `*`, `?`, `[…]` and `\` mean what they mean in a shell. Linear in the path, whatever the
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
    // The path, or a folder that it is in; "src/**" and "src" say the same.
    bool covers(std::string_view path) const;
    // Whether something in folder `dir`, or deeper, could be covered. "" is the root.
    bool may_cover_below(std::string_view dir) const;

private:
    struct reach;
    reach walk(std::string_view path) const;

    std::vector<std::string> parts_;
};

// The next component of `path`, which loses it. Empty at the end.
std::string_view take_component(std::string_view& path);

}  // namespace hob::unit
