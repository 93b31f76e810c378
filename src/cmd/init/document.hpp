#pragma once
// The text of a new hob.toml.

#include <sys/types.h>

#include <string>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::cmd {

struct init_unit {
    std::string name;
    unit::unit_kind kind = unit::unit_kind::worker;
    bool enabled = true;
    std::string file;  // that it is from
};

struct init_document {
    std::string text;
    mode_t mode = 0;  // less the umask; never writable by everyone, which hob would refuse
    std::vector<std::string> files;
    std::vector<init_unit> units;
    std::size_t left_out = 0;  // entries that have become no unit
};

init_document plain_document();
// With the units that the files of the directory suggest; plain without any. It is valid.
init_document document_for(const std::string& directory);

}  // namespace hob::cmd
