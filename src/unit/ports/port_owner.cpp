#include "unit/ports/port_owner.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t table_max = 16u << 20;

struct listener {
    std::string inode;
    uid_t uid = 0;
};

// From /proc/net/tcp: "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …"; state 0A
// is LISTEN. In /proc/net/udp, 07 is bound.
void add_listeners(const char* path, std::string_view wanted_state, std::uint16_t port,
                   std::vector<listener>& listeners) {
    const auto table = util::read_file(path, table_max);
    if (!table) return;
    std::istringstream lines(*table);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
            inode;
        const auto colon = local.rfind(':');
        if (state != wanted_state || colon == std::string::npos) continue;
        unsigned listening = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), listening, 16);
        if (listening == port) listeners.push_back({inode, static_cast<uid_t>(std::stoul(uid))});
    }
}

// `links`: what /proc/PID/fd shows for the sockets, "socket:[INODE]".
bool has_socket(pid_t pid, const std::set<std::string>& links) {
    const std::string directory = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return false;
    while (const dirent* entry = ::readdir(dir.get())) {
        std::array<char, 64> target{};
        const std::string path = directory + "/" + entry->d_name;
        const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
        if (n > 0 && links.contains(std::string(target.data(), static_cast<std::size_t>(n)))) return true;
    }
    return false;
}

port_owner owner_of(const std::vector<listener>& listeners, const std::function<bool(pid_t)>& belongs,
                    port_user& user) {
    if (listeners.empty()) return port_owner::unknown;
    std::set<std::string> links;
    bool all_of_other_users = true;
    for (const auto& socket : listeners) {
        links.insert("socket:[" + socket.inode + "]");
        all_of_other_users = all_of_other_users && socket.uid != ::geteuid();
    }
    std::optional<util::proc_stat> owner;
    for (const auto& process : util::all_processes()) {
        if (!has_socket(process.pid, links)) continue;
        if (belongs(process.pid)) return port_owner::ours;
        owner = process;
    }
    if (owner) {
        user.pid = owner->pid;
        user.name = owner->comm;
        return port_owner::foreign;
    }
    if (!all_of_other_users || ::geteuid() == 0) return port_owner::unknown;
    return port_owner::foreign;
}

}  // namespace

port_owner owner_of_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs, port_user& user) {
    std::vector<listener> listeners;
    add_listeners("/proc/net/tcp", "0A", port, listeners);
    add_listeners("/proc/net/tcp6", "0A", port, listeners);
    user = port_user();
    user.port = port;
    return owner_of(listeners, belongs, user);
}

port_owner owner_of_bound_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs,
                               port_user& user) {
    const port_owner owner = owner_of_port(port, belongs, user);
    if (owner != port_owner::unknown) return owner;
    std::vector<listener> listeners;
    add_listeners("/proc/net/udp", "07", port, listeners);
    add_listeners("/proc/net/udp6", "07", port, listeners);
    return owner_of(listeners, belongs, user);
}

}  // namespace hob::unit
