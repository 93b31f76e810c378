#include "unit/ports/instance_ports.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "error.hpp"
#include "unit/ports/listening_ports.hpp"
#include "util/log/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr unsigned port_max = 65535;

std::optional<std::uint16_t> port_named(const port_list& ports, std::string_view name) {
    for (const auto& [known, port] : ports) {
        if (known == name) return port;
    }
    return std::nullopt;
}

std::uint16_t next_free(const std::string& name, std::uint16_t preferred,
                        const std::set<std::uint16_t>& used) {
    for (unsigned port = preferred; port <= port_max; ++port) {
        const auto candidate = static_cast<std::uint16_t>(port);
        if (!used.contains(candidate)) return candidate;
    }
    throw failure(error_kind::unit_failed, cannot("choose", {}, "a port"),
                  fmt::format("'{}' in [ports] prefers {}, and none from there on is free", name, preferred));
}

void log_unreserved(const failure& why) {
    util::log(util::level::warning, "unit", "ports are not reserved", {util::field("reason", why.what())});
}

}  // namespace

port_list choose_ports(const port_list& preferred, const port_list& chosen, std::string_view instance,
                       const std::vector<port_reservation>& reserved) {
    std::set<std::uint16_t> used = listening_ports();
    for (const auto& other : reserved) {
        if (other.instance != instance) used.insert(other.port);
    }
    for (const auto& [name, port] : chosen)
        used.insert(port);
    port_list result;
    for (const auto& [name, port] : preferred) {
        const auto known = port_named(chosen, name);
        result.emplace_back(name, known ? *known : next_free(name, port, used));
        used.insert(result.back().second);
    }
    return result;
}

instance_ports::instance_ports(std::string path, std::string instance)
    : path_(std::move(path)), instance_(std::move(instance)) {}

void instance_ports::prefer(port_list ports) {
    preferred_ = std::move(ports);
    std::erase_if(chosen_, [&](const auto& each) { return !port_named(preferred_, each.first); });
}

const port_list& instance_ports::choose() {
    if (chosen_.size() == preferred_.size()) return chosen_;
    choose_and_reserve();
    for (const auto& [name, port] : chosen_) {
        if (port == port_named(preferred_, name)) continue;
        util::log(util::level::info, "unit", "a preferred port is taken, another one is used",
                  {util::field("name", name), util::field("preferred", *port_named(preferred_, name)),
                   util::field("port", port)});
    }
    return chosen_;
}

// Without a reservation another instance may choose the same port before a server listens on it. That is no
// reason not to start.
void instance_ports::choose_and_reserve() {
    std::optional<locked_port_reservations> file;
    try {
        file.emplace(path_);
    } catch (const failure& why) {
        log_unreserved(why);
    }
    chosen_ =
        choose_ports(preferred_, chosen_, instance_, file ? file->all() : read_port_reservations(path_));
    if (!file) return;
    std::vector<port_reservation> own;
    for (const auto& [name, port] : chosen_)
        own.push_back({port, ::getpid(), util::own_start_time(), instance_, name});
    try {
        file->replace(instance_, own);
    } catch (const failure& why) {
        log_unreserved(why);
    }
}

void instance_ports::release() {
    if (chosen_.empty()) return;
    chosen_.clear();
    try {
        locked_port_reservations file(path_);
        file.replace(instance_, {});
    } catch (const failure& why) {
        util::log(util::level::warning, "unit", "the reservation of ports is not removed",
                  {util::field("reason", why.what())});
    }
}

}  // namespace hob::unit
