#include "unit/protocol/lsp/watchers.hpp"

#include <algorithm>
#include <utility>

#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t watchers_max = 1000;  // a server has some dozens

std::vector<std::string_view> elements(std::string_view array) {
    return util::json_array_elements(array).value_or(std::vector<std::string_view>());
}

// The base folder of a relative pattern, which is a URI or a workspace folder. A folder that is neither above
// nor below the root is taken for the root under another name.
std::optional<std::string> base_of(const std::string& root, std::string_view watcher) {
    auto uri = util::json_find_string(watcher, {"globPattern", "baseUri"});
    if (!uri) uri = util::json_find_string(watcher, {"globPattern", "baseUri", "uri"});
    auto path = uri ? util::path_of_uri(*uri) : std::nullopt;
    if (!path) return std::nullopt;
    while (path->ends_with('/'))
        path->pop_back();
    const bool related = (root + "/").starts_with(*path + "/") || (*path + "/").starts_with(root + "/");
    return related ? path : std::nullopt;
}

}  // namespace

void lsp_watchers::on_register(const std::string& root, const std::string& params) {
    for (const auto registration : elements(util::json_find(params, {"registrations"}))) {
        if (util::json_find_string(registration, {"method"}) != "workspace/didChangeWatchedFiles") continue;
        const auto id = util::json_find_string(registration, {"id"}).value_or("");
        // A second registration with the same id replaces the first.
        if (!id.empty()) std::erase_if(all_, [&](const watcher& known) { return known.registration == id; });
        for (const auto each : elements(util::json_find(registration, {"registerOptions", "watchers"})))
            add(root, id, each);
    }
}

// Of too many, the last one stands for all that are behind it, and matches every path.
void lsp_watchers::add(const std::string& root, const std::string& registration, std::string_view params) {
    if (all_.size() > watchers_max) return;
    std::optional<std::string> base;
    auto pattern = util::json_find_string(params, {"globPattern"});
    if (!pattern) {
        pattern = util::json_find_string(params, {"globPattern", "pattern"});
        base = base_of(root, params);
    }
    if (all_.size() == watchers_max) {
        pattern = "**";
        base.reset();
    }
    if (pattern)
        all_.push_back({registration, std::move(base), pattern->starts_with('/'), lsp_glob(*pattern)});
}

// The protocol spells it `unregisterations`.
void lsp_watchers::on_unregister(const std::string& params) {
    for (const auto registration : elements(util::json_find(params, {"unregisterations"}))) {
        const auto id = util::json_find_string(registration, {"id"});
        if (id) std::erase_if(all_, [&](const watcher& known) { return known.registration == *id; });
    }
}

bool lsp_watchers::watcher::matches(const std::string& root, const std::string& path) const {
    if (!base && absolute) return pattern.matches(path);
    const std::string folder = base.value_or(root) + "/";
    return path.starts_with(folder) && pattern.matches(std::string_view(path).substr(folder.size()));
}

bool lsp_watchers::question::is_of(const std::string& path) {
    if (of_.all_.empty()) return true;
    for (const auto& each : of_.all_) {
        budget_ -= std::min(budget_, each.pattern.size() * path.size());
        if (budget_ == 0 || each.matches(root_, path)) return true;
    }
    return false;
}

}  // namespace hob::unit
