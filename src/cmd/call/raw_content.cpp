#include "cmd/call/raw_content.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "error.hpp"
#include "util/base64.hpp"
#include "util/fd.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::cmd {
namespace {

constexpr int files_max = 10'000;

// "png" of "image/png; x=y", "svg" of "image/svg+xml"; only letters and digits.
std::string extension_of(std::string_view type) {
    type = type.substr(type.find('/') + 1);
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const auto end = std::find_if_not(type.begin(), type.end(), is_plain);
    std::string extension(type.begin(), end);
    return extension.empty() ? "bin" : extension;
}

// Returns the name of the new file.
std::string write_new_file(std::string_view kind, std::string_view type, std::string_view bytes) {
    const std::string extension = extension_of(type);
    for (int number = 1; number <= files_max; ++number) {
        const std::string name = fmt::format("{}-{}.{}", kind, number, extension);
        const auto fd = util::open_file(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
        if (!fd && errno == EEXIST) continue;
        if (!fd || !util::write_all(fd.get(), bytes)) throw denied("write", name, errno);
        return name;
    }
    throw failure(error_kind::internal, cannot("write", fmt::format("{}-N.{}", kind, extension)),
                  fmt::format("there are {} such files here", files_max));
}

// One item of the content, as a line; nullopt: it is no item of an MCP result.
std::optional<std::string> line_of(std::string_view item) {
    const auto kind = util::json_find_string(item, {"type"});
    if (!kind) return std::nullopt;
    if (*kind == "text") return util::json_find_string(item, {"text"});
    if (*kind == "image" || *kind == "audio") {
        const auto data = util::json_find_string(item, {"data"});
        const auto bytes = data ? util::base64_decode(*data) : std::nullopt;
        if (bytes) {
            const std::string type = util::json_find_string(item, {"mimeType"}).value_or("");
            return write_new_file(*kind, type, *bytes);
        }
    }
    if (auto text = util::json_find_string(item, {"resource", "text"})) return text;
    return std::string(item);
}

}  // namespace

std::optional<std::string> raw_content(std::string_view result) {
    const auto items = util::json_array_elements(util::json_member_of(result, "content"));
    if (!items) return std::nullopt;
    const auto is_item = [](std::string_view item) {
        return util::json_find_string(item, {"type"}).has_value();
    };
    if (!std::all_of(items->begin(), items->end(), is_item)) return std::nullopt;
    std::string lines;
    for (const auto item : *items) {
        lines += line_of(item).value_or(std::string(item));
        if (!lines.ends_with('\n')) lines += '\n';
    }
    return lines;
}

}  // namespace hob::cmd
