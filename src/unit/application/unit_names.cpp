#include "unit/application/unit_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>

#include "error.hpp"
#include "unit/config/config.hpp"
#include "util/real_path.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

bool contains(const std::vector<std::string>& texts, std::string_view text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool matches(const unit_spec& spec, const std::string& selector) {
    if (!spec.enabled) return false;
    if (selector.starts_with('@')) return contains(spec.groups, std::string_view(selector).substr(1));
    return spec.kind == unit_kind::service && ::fnmatch(selector.c_str(), spec.name.c_str(), 0) == 0;
}

failure no_group(const config& configuration, const char* verb, const std::string& selector) {
    std::vector<std::string> groups;
    for (const auto& spec : configuration.units) {
        for (const auto& group : spec.groups) {
            if (!contains(groups, group)) groups.push_back(group);
        }
    }
    const std::vector<std::string_view> views(groups.begin(), groups.end());
    std::string hint = "hob.toml has no groups; a unit is in one by: groups = [\"NAME\"]";
    if (const auto near = util::nearest(selector.substr(1), views)) {
        hint = fmt::format("did you mean '@{}'?", *near);
    } else if (!groups.empty()) {
        hint = fmt::format("there are @{}", fmt::join(groups, ", @"));
    }
    return failure(error_kind::unit_unknown, cannot(verb, selector), "no unit is in this group", hint);
}

}  // namespace

std::string scoped_name(const config& configuration, const std::string& name, std::string_view directory) {
    const included_file* nearest = nullptr;
    for (const auto& file : configuration.included) {
        const bool nearer = !nearest || file.directory.size() > nearest->directory.size();
        if (nearer && !directory.empty() && util::is_within(directory, file.directory) &&
            configuration.find(file.prefix + "." + name))
            nearest = &file;
    }
    return nearest ? nearest->prefix + "." + name : name;
}

std::vector<std::string> selected_names(const config& configuration, const char* verb,
                                        const std::vector<std::string>& names, std::string_view directory) {
    std::vector<std::string> found;
    const auto add = [&](const std::string& name) {
        if (!contains(found, name)) found.push_back(name);
    };
    for (const auto& name : names) {
        if (!is_selector(name)) {
            add(scoped_name(configuration, name, directory));
            continue;
        }
        bool any = false;
        for (const auto& spec : configuration.units) {
            if (!matches(spec, name)) continue;
            any = true;
            add(spec.name);
        }
        if (any) continue;
        if (name.starts_with('@')) throw no_group(configuration, verb, name);
        throw failure(error_kind::unit_unknown, cannot(verb, name), "no service matches",
                      "a pattern means services; in a shell it needs quotes");
    }
    return found;
}

}  // namespace hob::unit
