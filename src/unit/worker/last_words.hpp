#pragma once
// What a program that has ended said about it.

#include <string>
#include <vector>

namespace hob::unit {

// The last of `lines` that is not blank. Where that belongs to a stack that a runtime shows, such as Node's
// or Java's: the line with the error. Empty: there is none.
std::string last_words(const std::vector<std::string>& lines);

}  // namespace hob::unit
