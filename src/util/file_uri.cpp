#include "util/file_uri.hpp"

namespace hob::util {
namespace {

constexpr std::string_view scheme = "file://";
constexpr std::string_view local_host = "localhost/";

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~/+").find(c) != std::string_view::npos;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string uri_of_path(std::string_view path) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string uri(scheme);
    for (const char c : path) {
        if (is_unreserved(c)) {
            uri += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            uri += '%';
            uri += digits[byte >> 4];
            uri += digits[byte & 15];
        }
    }
    return uri;
}

std::optional<std::string> path_of_uri(std::string_view uri) {
    // Some programs write file:/path or file://localhost/path.
    if (!uri.starts_with(scheme)) {
        if (!uri.starts_with("file:/")) return std::nullopt;
        uri.remove_prefix(scheme.size() - 2);
    } else {
        uri.remove_prefix(scheme.size());
        if (uri.starts_with(local_host)) uri.remove_prefix(local_host.size() - 1);
    }
    if (!uri.starts_with('/')) return std::nullopt;
    std::string path;
    for (std::size_t i = 0; i < uri.size(); ++i) {
        if (uri[i] != '%') {
            path += uri[i];
            continue;
        }
        if (i + 2 >= uri.size()) return std::nullopt;
        const int high = hex_digit(uri[i + 1]);
        const int low = hex_digit(uri[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
        path += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return path;
}

}  // namespace hob::util
