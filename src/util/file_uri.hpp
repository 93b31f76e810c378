#pragma once
// file:// URIs (RFC 8089).

#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

// `path` is absolute.
std::string uri_of_path(std::string_view path);
// nullopt: not a file:// URI, or bad percent-encoding.
std::optional<std::string> path_of_uri(std::string_view uri);

}  // namespace hob::util
