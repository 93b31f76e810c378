#include "cmd/core/token.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>

namespace hob::cmd {

std::string new_token() {
    std::array<unsigned char, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    std::string token;
    for (const unsigned char byte : bytes)
        token += fmt::format("{:02x}", byte);
    return token;
}

}  // namespace hob::cmd
