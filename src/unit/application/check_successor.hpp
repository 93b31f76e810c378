#pragma once
// Whether this program can go on with what a daemon of another version has.

#include <string>

#include "lifecycle/instance.hpp"

namespace hob::unit {

// `config_text`: a file_record of the configuration in effect; empty: there is none. Changes nothing. Throws
// the failure that a daemon would have. `database`: also that it can use it.
void check_successor(const lifecycle::instance& where, const std::string& config_text, bool database);

}  // namespace hob::unit
