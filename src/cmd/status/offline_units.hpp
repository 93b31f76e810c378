#pragma once
// The units of an instance without a daemon: from its hob.toml, and from the records that the last daemon has
// left.

#include <string>
#include <vector>

#include "lifecycle/instance.hpp"

namespace hob::cmd {

struct offline_units {
    std::string json = "[]";           // as in the status object
    std::vector<std::string> were_up;  // services that the next daemon starts again
    std::string config_state;          // "broken": hob.toml cannot be used; else empty
};

// Of the named units, or of all. Throws failure(unit_unknown) for a name that hob.toml does not have.
// `directory`: in which the names were given.
offline_units read_offline_units(const lifecycle::instance& where, const std::vector<std::string>& names,
                                 const std::string& directory);

}  // namespace hob::cmd
