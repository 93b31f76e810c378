#pragma once
// The `.env` dialect that hob.toml(5) describes under "The env_file".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/expansion.hpp"

namespace hob::unit {

struct env_file_fault {
    int line = 0;  // from 1; of the assignment
    std::string reason;
    std::string hint;  // may be empty
};

struct env_file {
    std::vector<written_variable>
        variables;                        // in file order; a name may come twice. The origin is "PATH:LINE".
    std::optional<env_file_fault> fault;  // the first; nothing after it is read
};

// `path`: for the origins.
env_file parse_env_file(std::string_view bytes, std::string_view path);

}  // namespace hob::unit
