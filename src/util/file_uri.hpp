#pragma once
// file:// URIs (RFC 8089).

#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

std::string uri_of_path(std::string_view path);  // absolute
std::optional<std::string> path_of_uri(
    std::string_view uri);  // nullopt: no file:// URI, or bad percent-encoding

}  // namespace hob::util
