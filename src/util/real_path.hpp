#pragma once
// Absolute paths without `.`, `..`, double slashes and symlinks.

#include <string>
#include <string_view>

namespace hob::util {

// `path` is absolute. Symlinks are followed as far as the path exists; what does not exist is kept as it is
// named.
std::string real_path(std::string_view path);

// Without following symlinks.
std::string normal_path(std::string_view path);

// `path` is `folder` or below it. Both are free of `.`, `..` and double slashes.
bool is_within(std::string_view path, std::string_view folder);

}  // namespace hob::util
