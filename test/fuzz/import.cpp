// Files that other programs wrote: refused in one line, or units that hob.toml takes as they are.

#include "cmd/formats/read.hpp"

#include <algorithm>
#include <string>

#include "error.hpp"
#include "fuzz/target.hpp"
#include "unit/config/config.hpp"

using namespace hob;
using test::claim;

namespace {

void check(const cmd::imported_unit& unit) {
    std::string toml;
    try {
        toml = cmd::to_toml(unit, "f");
    } catch (const cmd::unimportable&) {
        return;
    }
    const unit::config read = unit::parse_config(toml, "/p/hob.toml", "/p");
    claim(read.units.size() == 1 && read.units[0].name == unit.name, "a unit is one unit, by its name");
    if (!unit.script.empty()) {
        claim(read.units[0].run.text == unit.script, "a script keeps its bytes");
        return;
    }
    const bool literal = std::all_of(unit.run.begin(), unit.run.end(), cmd::is_literal) &&
                         std::all_of(unit.env.begin(), unit.env.end(),
                                     [](const auto& one) { return cmd::is_literal(one.second); });
    if (!literal) return;
    const auto& argv = read.units[0].run.argv;
    claim(argv.size() == unit.run.size(), "no argument is lost");
    for (std::size_t i = 0; i < argv.size(); ++i)
        claim(argv[i] == cmd::literal_text(unit.run[i]), "an argument keeps its bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const cmd::import_environment machine{[](const std::string&) { return true; }, [] { return true; }};
    try {
        const auto found =
            cmd::read_import(test::text_of(bytes, size), "f", {"/p", "/p/q", "/h", false}, machine);
        for (const auto& unit : found.units)
            check(unit);
    } catch (const failure& why) {
        claim(why.kind() == error_kind::config, "a fault is one of the file");
        claim(std::string_view(why.what()).find('\n') == std::string_view::npos,
              "a fault is said in one line");
    }
    return 0;
}
