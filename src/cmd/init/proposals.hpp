#pragma once
// Units that the files of a directory suggest. Nothing is executed.

#include <string>
#include <vector>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

struct proposal {
    std::string file;  // relative to the directory
    import_result found;
    std::string refused;  // why the whole file could not be read; empty: it could
};

// In the order of precedence; names are unique over all of them, and each service after those of the first
// file that has any is enabled only by its name. `directory`: absolute and real.
std::vector<proposal> propose_units(const std::string& directory, const std::string& home);

// One reader for each file that `hob import` does not read.
void propose_make(std::string_view text, import_collector& found);
void propose_just(std::string_view text, import_collector& found);
void propose_python(std::string_view text, const std::string& path, import_collector& found);
void propose_cmake(const std::string& presets, import_collector& found);

// A unit that runs `words`: a service or task by its name.
imported_unit proposed_unit(std::string_view name, std::initializer_list<std::string_view> words,
                            std::string_view about = {});

}  // namespace hob::cmd
