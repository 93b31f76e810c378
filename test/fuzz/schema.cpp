// A JSON Schema, a newline, a value: checking ends whatever the schema says, and `not` turns its outcome
// around.

#include "unit/protocol/mcp/schema_check.hpp"

#include <string>

#include "fuzz/target.hpp"
#include "limits.hpp"
#include "util/json/json_text.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos) return 0;
    const std::string_view schema = text.substr(0, newline), value = text.substr(newline + 1);
    constexpr int depth = limits::json_depth_max - 2;
    if (util::validate_json(schema, depth) || util::validate_json(value, depth)) return 0;
    const auto wrong = unit::schema_mismatch(schema, value);
    claim(!wrong || !wrong->empty(), "a mismatch is described");
    claim(unit::schema_mismatch(schema, value) == wrong, "the same schema says the same");
    claim(!unit::schema_mismatch("true", value), "every value is a value");
    // A reference is to the whole schema, so it means something else inside of another one.
    if (!wrong || schema.find("ref") != std::string_view::npos) return 0;
    claim(!unit::schema_mismatch("{\"not\":" + std::string(schema) + "}", value),
          "what does not match is not it");
    return 0;
}
