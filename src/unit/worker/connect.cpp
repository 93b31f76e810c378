// The connection to a worker that listens on a port.

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "limits.hpp"
#include "unit/ports/tcp_connect.hpp"
#include "unit/worker/worker_process.hpp"
#include "util/duration.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

struct endpoint {
    std::string host;
    std::uint16_t port = 0;
};

// In the forms that programs print: PORT, HOST:PORT, [HOST]:PORT, and ::1:PORT. For the wildcard address the
// loopback address is taken.
std::optional<endpoint> parse_endpoint(std::string_view text) {
    endpoint parsed{"127.0.0.1", 0};
    const auto colon = text.rfind(':');
    const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    if (error != std::errc{} || end != port.data() + port.size() || parsed.port == 0) return std::nullopt;
    if (colon == std::string_view::npos) return parsed;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "0.0.0.0" || host == "*" || host.empty()) return parsed;
    parsed.host = host == "::" ? "::1" : host;
    boost::system::error_code not_numeric;
    asio::ip::make_address(parsed.host, not_numeric);
    if (not_numeric && parsed.host != "localhost") return std::nullopt;
    return parsed;
}

}  // namespace

// Throws why there is no connection, also when the process ends before there is one.
asio::awaitable<void> worker::connect(process_ptr process) {
    const std::size_t first = co_await util::first_of(connect_in_time(process), process->ended.wait());
    process->address_watch.reset();
    if (first == 0) co_return;
    if (process->main_process->stop_requested()) throw stopped_failure("start");
    const failure death = death_failure(*last_exit_);
    throw failure(
        death.kind(), cannot("connect to", process->spec().name),
        fmt::format("the worker {} before it could be connected to{}", exit_text(*last_exit_), taken_text()),
        death.hint(), death.detail());
}

asio::awaitable<void> worker::connect_in_time(process_ptr process) {
    const connect_spec& spec = *worker_spec_of(process->spec()).connect;
    std::string& why = process->not_connected.why;
    if (!spec.log_pattern.empty()) why = "it has not said where it listens";
    const bool in_time = co_await util::within(spec.timeout, connect_with_retries(process));
    if (in_time) co_return;
    throw failure(
        error_kind::timeout, cannot("connect to", process->spec().name),
        fmt::format("not within {}{}", util::format_duration(spec.timeout), why.empty() ? "" : ": " + why),
        fmt::format("`hob logs {}` shows what it said meanwhile", process->spec().name));
}

asio::awaitable<void> worker::connect_with_retries(process_ptr process) {
    const std::string& unit = process->spec().name;
    const connect_spec& spec = *worker_spec_of(process->spec()).connect;
    endpoint address{spec.host, spec.port};
    if (!spec.log_pattern.empty()) {
        co_await process->address_known.wait();
        const auto parsed = parse_endpoint(process->address);
        if (!parsed) {
            throw failure(error_kind::worker_error, cannot("connect to", unit),
                          fmt::format("'{}' is no address; it is to be PORT or ADDRESS:PORT, the address "
                                      "numeric or localhost",
                                      process->address));
        }
        address = *parsed;
    }
    const auto is_ours = [process](pid_t pid) { return process->main_process->contains(pid); };
    for (auto pause = limits::probe_pause_min;; pause = std::min(pause * 2, limits::probe_pause_max)) {
        auto socket = co_await connect_to(address.host, address.port, is_ours, process->not_connected);
        if (socket) {
            socket->set_option(asio::ip::tcp::no_delay(true));
            process->io->connect(util::unique_fd(socket->release()));
            util::log(util::level::info, "unit", "connected to a worker",
                      {util::field("unit", unit), util::field("port", address.port)});
            co_return;
        }
        co_await util::pause(pause);
    }
}

}  // namespace hob::unit
