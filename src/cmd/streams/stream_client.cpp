#include "cmd/streams/stream_client.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "error.hpp"
#include "util/base64.hpp"
#include "util/deadline.hpp"
#include "util/json/json_edit.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t input_chunk = 64u << 10;

}  // namespace

arrival take_arrived(ipc::client& daemon) {
    try {
        arrival next{daemon.next(util::deadline::in(std::chrono::milliseconds(0)))};
        next.closed = !next.message;
        return next;
    } catch (const failure& why) {
        if (why.kind() != error_kind::timeout) throw;
        return {};
    }
}

std::optional<std::string> read_input_piece() {
    std::string bytes(input_chunk, '\0');
    const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
}

std::string output_bytes(std::string_view params) {
    if (auto plain = util::json_find_string(params, {"data"})) return std::move(*plain);
    const auto encoded = util::json_find_string(params, {"data_b64"});
    return encoded ? util::base64_decode(*encoded).value_or("") : std::string();
}

}  // namespace hob::cmd
