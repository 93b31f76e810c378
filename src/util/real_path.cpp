#include "util/real_path.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

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
    std::string existing(path);
    std::string rest;
    for (;;) {
        const std::unique_ptr<char, decltype(&::free)> resolved(::realpath(existing.c_str(), nullptr),
                                                                &::free);
        if (resolved) return normal_path(resolved.get() + rest);
        const std::size_t slash = existing.rfind('/');
        if (slash == std::string::npos || slash == 0) return normal_path(path);
        rest.insert(0, existing, slash);
        existing.resize(slash);
    }
}

bool is_within(std::string_view path, std::string_view folder) {
    if (folder == "/") return path.starts_with('/');
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace hob::util
