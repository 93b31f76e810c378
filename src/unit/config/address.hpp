#pragma once
// Addresses and regular expressions in hob.toml.

#include <cstdint>
#include <string>
#include <string_view>

namespace hob::unit {

struct key_context;

// "HOST:PORT" or "[HOST]:PORT" into its parts; a missing port stays `port`. False: neither, or HOST is not
// numeric or localhost.
bool split_address(std::string_view text, std::string& host, int& port);

// "5432" or "ADDRESS:PORT"; false: neither.
bool parse_address(std::string_view text, std::string& host, std::uint16_t& port);

// A port of localhost, or "ADDRESS:PORT". A text with references to variables becomes `written` instead.
// Faults are noted.
void read_address(const key_context& at, std::string& host, std::uint16_t& port, std::string& written);

// hob can ask it: "http://ADDRESS[:PORT][/PATH]".
bool is_usable_url(std::string_view url);

// A regular expression, with at least `groups` groups. Faults are noted.
void read_pattern(const key_context& at, std::string& pattern, std::size_t groups);

}  // namespace hob::unit
