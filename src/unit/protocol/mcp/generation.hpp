#pragma once
// The generations of the model context protocol. Since revision 2026-07-28 there is no handshake:
// `server/discover` says what the server is, and every request names its client. Before it, a session begins
// with `initialize`.

#include <cstdint>
#include <string>
#include <string_view>

namespace hob::unit {

inline constexpr std::string_view mcp_modern_revision = "2026-07-28";
inline constexpr std::string_view mcp_legacy_revision = "2025-11-25";

// What is known about a server.
enum class mcp_generation : std::uint8_t {
    unknown,
    modern,
    legacy,
    unproven,  // it died when it was asked for the modern generation, and has answered nothing since
};

// As it is stored; unknown is empty.
std::string_view name_of(mcp_generation generation);
mcp_generation mcp_generation_named(std::string_view name);

// The newest modern revision in `revisions`, a raw array; empty: there is none.
std::string newest_modern_revision(std::string_view revisions);

}  // namespace hob::unit
