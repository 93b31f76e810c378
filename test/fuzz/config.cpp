// hob.toml: accepted, or refused with a position inside the text.

#include "unit/config/config.hpp"

#include <algorithm>
#include <string>

#include "error.hpp"
#include "fuzz/target.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    try {
        const unit::config read = unit::parse_config(text, "/p/hob.toml", "/p");
        for (const auto& unit : read.units)
            claim(!unit.name.empty() && unit.name.size() <= 64, "a unit has a name of its own");
    } catch (const failure& why) {
        claim(why.kind() == error_kind::config, "a fault is one of the configuration");
        const std::string_view said = why.what();
        claim(said.starts_with("cannot ") && said.find('\n') == std::string_view::npos,
              "a fault is said in one line");
    }
    return 0;
}
