#pragma once

#include <string>

namespace hob::cmd {

// A random name for a request, by which the next daemon knows what this one has begun for it. Empty: the
// kernel gives no random bytes.
std::string new_token();

}  // namespace hob::cmd
