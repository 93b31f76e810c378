#include "unit/protocol/method_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "util/suggest.hpp"

namespace hob::unit {

std::optional<std::string_view> method_like(std::string_view word,
                                            std::span<const std::string_view> methods) {
    if (std::find(methods.begin(), methods.end(), word) != methods.end()) return std::nullopt;
    if (word.find('/') != std::string_view::npos) return util::nearest(word, methods);
    std::vector<std::string_view> short_names;
    std::transform(methods.begin(), methods.end(), std::back_inserter(short_names),
                   [](std::string_view method) { return method.substr(method.find('/') + 1); });
    const auto near = util::nearest(word, short_names);
    if (!near) return std::nullopt;
    return methods[static_cast<std::size_t>(std::find(short_names.begin(), short_names.end(), *near) -
                                            short_names.begin())];
}

failure with_method_hint(const failure& why, const std::string& method,
                         std::span<const std::string_view> methods) {
    // Some servers do not answer what they do not know, and some end.
    const bool refused = why.kind() == error_kind::worker_error && why.hint().empty();
    const bool failed = why.kind() == error_kind::worker_died || why.kind() == error_kind::timeout;
    const auto like = refused || failed ? method_like(method, methods) : std::nullopt;
    if (!like) return why;
    return failure(why.kind(), why.tried(), why.reason(), fmt::format("did you mean {}?", *like),
                   why.detail());
}

}  // namespace hob::unit
