#include "util/real_path.hpp"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace hob::util {

std::string normal_path(std::string_view path) {
    std::string result;
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(name.size() + 1, path.size()));
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            result.erase(result.empty() ? 0 : result.rfind('/'));
        } else {
            result.append("/").append(name);
        }
    }
    return result.empty() ? "/" : result;
}

std::string real_path(std::string_view path) {
    // No file has a longer name, and those who name files may name anything.
    if (path.size() >= PATH_MAX) return normal_path(path);
    const auto resolved_to = [path](std::size_t size) {
        const std::unique_ptr<char, decltype(&::free)> resolved(
            ::realpath(std::string(path.substr(0, size)).c_str(), nullptr), &::free);
        return resolved ? std::string(resolved.get()) : std::string();
    };
    if (const std::string whole = resolved_to(path.size()); !whole.empty()) return whole;
    // The slashes that the rest may begin with. Of these, the last one behind a name that exists is looked
    // for: mostly it is the last of all, and no name exists below one that does not.
    std::vector<std::size_t> slashes;
    for (std::size_t at = path.find('/', 1); at < path.size(); at = path.find('/', at + 1))
        slashes.push_back(at);
    std::string existing;
    std::size_t found = 0, missing = slashes.size(), next = missing;
    while (found < missing) {
        next = next == slashes.size() ? next - 1 : found + (missing - found) / 2;
        std::string resolved = resolved_to(slashes[next]);
        if (resolved.empty()) {
            missing = next;
        } else {
            existing = std::move(resolved);
            found = next + 1;
        }
    }
    if (found == 0) return normal_path(path);
    return normal_path(existing.append(path.substr(slashes[found - 1])));
}

bool is_within(std::string_view path, std::string_view folder) {
    if (folder == "/") return path.starts_with('/');
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace hob::util
