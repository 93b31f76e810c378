#include "util/sha256.hpp"

#include <sha2.h>
#include <sys/types.h>

namespace hob::util {

std::string sha256_hex(std::string_view bytes) {
    char digits[SHA256_DIGEST_STRING_LENGTH];
    SHA256Data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), digits);
    return digits;
}

}  // namespace hob::util
