#include "unit/ports/listening_ports.hpp"

#include <charconv>
#include <string_view>

#include "util/fd.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t table_max = 16u << 20;

std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

// "sl local_address rem_address st …", the port in hexadecimal digits; state 0A is LISTEN.
void add_listener(std::string_view line, std::set<std::uint16_t>& ports) {
    take_word(line);
    const std::string_view local = take_word(line);
    take_word(line);
    if (take_word(line) != "0A") return;
    const auto colon = local.rfind(':');
    if (colon == std::string_view::npos) return;
    std::uint16_t port = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), port, 16);
    ports.insert(port);
}

}  // namespace

std::set<std::uint16_t> listening_ports() {
    std::set<std::uint16_t> ports;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const auto table = util::read_file(path, table_max);
        std::string_view rest = table ? std::string_view(*table) : std::string_view();
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            add_listener(line, ports);
        }
    }
    return ports;
}

}  // namespace hob::unit
