#pragma once
// Addresses in hob.toml.

#include <string>
#include <string_view>

#include "unit/config/table_reader.hpp"

namespace hob::unit {

// "HOST:PORT" or "[HOST]:PORT" into its parts; a missing port stays `port`. False: neither, or HOST is not
// numeric or localhost.
bool split_address(std::string_view text, std::string& host, int& port);

// `key`: a port of localhost, or "ADDRESS:PORT". Faults are noted.
void read_address(table_reader& reader, std::string_view key, std::string& host, std::uint16_t& port);

// `key`: a POSIX extended regular expression that compiles, with at least `groups` groups. Faults are noted.
void read_pattern(table_reader& reader, std::string_view key, std::string& pattern, std::size_t groups);

}  // namespace hob::unit
