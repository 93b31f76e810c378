// .env files: refused with a line, or names with values that expand within bounds.

#include "unit/config/env_file.hpp"

#include <algorithm>

#include "error.hpp"
#include "fuzz/target.hpp"
#include "limits.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    const unit::env_file read = unit::parse_env_file(text, ".env");
    const auto lines =
        std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r');
    if (read.fault) {
        claim(read.fault->line >= 1 && read.fault->line <= lines + 1, "a fault is on a line of the file");
        claim(!read.fault->reason.empty(), "a fault has a reason");
        return 0;
    }
    for (const auto& each : read.variables)
        claim(
            !each.name.empty() && each.name.find_first_of(std::string_view("=\0\n", 3)) == std::string::npos,
            "a name can stand in an environment");
    try {
        for (const auto& [name, value] : unit::expand_layers({{"A", "a"}}, {read.variables}, "x")) {
            claim(value.find('\0') == std::string::npos, "a value has no NUL byte");
            claim(value.size() <= limits::variable_max, "a value is bounded");
        }
    } catch (const failure& why) {
        claim(why.kind() == error_kind::unit_failed, "an expansion fails as a start does");
    }
    return 0;
}
