#include "cmd/core/time_option.hpp"

#include <string>

#include "error.hpp"
#include "util/log/log_reader_filter.hpp"

namespace hob::cmd {

std::optional<std::chrono::system_clock::time_point> time_option(const invocation& call,
                                                                 std::string_view name) {
    const auto text = call.value(name);
    if (!text) return std::nullopt;
    const auto time = util::parse_when(*text, std::chrono::system_clock::now());
    if (time) return time;
    throw failure(error_kind::usage, cannot("use", *text, "for '--" + std::string(name) + "'"), "not a time",
                  "as in 10m (ago), 13:02, 2026-01-02, '2026-01-02 13:02' or 2026-01-02T13:02:11Z");
}

}  // namespace hob::cmd
