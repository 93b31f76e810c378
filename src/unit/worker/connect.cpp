// Of a worker that listens on a port: from its start to the connection.

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "limits.hpp"
#include "unit/process/tcp_connect.hpp"
#include "unit/worker/worker_process.hpp"
#include "util/duration.hpp"
#include "util/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

struct endpoint {
    std::string host;
    std::uint16_t port = 0;
};

// As programs print it: PORT, HOST:PORT, [HOST]:PORT, and ::1:PORT. What listens everywhere listens here.
std::optional<endpoint> parse_endpoint(std::string_view text) {
    endpoint found{"127.0.0.1", 0};
    const auto colon = text.rfind(':');
    const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), found.port);
    if (error != std::errc{} || end != port.data() + port.size() || found.port == 0) return std::nullopt;
    if (colon == std::string_view::npos) return found;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "0.0.0.0" || host == "*" || host.empty()) return found;
    found.host = host == "::" ? "::1" : host;
    boost::system::error_code bad;
    asio::ip::make_address(found.host, bad);
    if (bad && found.host != "localhost") return std::nullopt;
    return found;
}

}  // namespace

void worker::printed(worker_process& now, const char* stream, std::string_view bytes) {
    log_.write(stream, bytes);
    if (!now.lines || !now.lines->feed(stream, bytes)) return;
    now.address = now.lines->captured();
    now.said.set();
}

asio::awaitable<std::string> worker::greet(std::shared_ptr<worker_process> now) {
    if (std::get<worker_spec>(now->own_spec->detail).connect) {
        co_await connect(now);
    }
    co_return co_await now->speaks.session->start(*now);
}

// Throws what it failed of, also the process's end.
asio::awaitable<void> worker::connect(std::shared_ptr<worker_process> now) {
    auto connecting = connect_in_time(now);
    auto ended = now->ended.wait();
    const std::size_t first = co_await util::first_of(std::move(connecting), std::move(ended));
    now->lines.reset();
    if (first == 0) co_return;
    if (now->process->stop_requested()) {
        throw failure(error_kind::cancelled,
                      fmt::format("cannot start '{}': it was stopped meanwhile", now->own_spec->name));
    }
    failure why = death(*last_exit_);
    throw failure(why.kind(),
                  fmt::format("cannot connect to '{}': the worker {} before it could be connected to",
                              now->own_spec->name, exit_text(*last_exit_)),
                  why.hint(), why.detail());
}

asio::awaitable<void> worker::connect_in_time(std::shared_ptr<worker_process> now) {
    const auto& to = *std::get<worker_spec>(now->own_spec->detail).connect;
    std::string why = to.log_pattern.empty() ? std::string() : "it has not said where it listens";
    const bool in_time = co_await util::within(to.timeout, keep_trying(now, why));
    if (in_time) co_return;
    throw failure(error_kind::timeout,
                  fmt::format("cannot connect to '{}': not within {}{}", now->own_spec->name,
                              util::format_duration(to.timeout), why.empty() ? "" : ": " + why),
                  fmt::format("`hob logs {}` shows what it said meanwhile", now->own_spec->name));
}

asio::awaitable<void> worker::keep_trying(std::shared_ptr<worker_process> now, std::string& why) {
    const auto& wanted = *std::get<worker_spec>(now->own_spec->detail).connect;
    endpoint to{wanted.host, wanted.port};
    if (!wanted.log_pattern.empty()) {
        co_await now->said.wait();
        const auto parsed = parse_endpoint(now->address);
        if (!parsed) {
            throw failure(error_kind::worker_error,
                          fmt::format("cannot connect to '{}': '{}' is no address; it is to be PORT or "
                                      "ADDRESS:PORT, the address numeric or localhost",
                                      now->own_spec->name, now->address));
        }
        to = *parsed;
    }
    const auto belongs = [now](pid_t pid) { return now->process->contains(pid); };
    for (auto pause = limits::probe_pause_min;; pause = std::min(pause * 2, limits::probe_pause_max)) {
        auto socket = co_await connect_to(to.host, to.port, belongs, why);
        if (socket) {
            socket->set_option(asio::ip::tcp::no_delay(true));
            now->io->connect(util::unique_fd(socket->release()));
            util::log(util::level::info, "unit", "connected to a worker",
                      {util::field("unit", now->own_spec->name), util::field("port", to.port)});
            co_return;
        }
        co_await util::pause(pause);
    }
}

}  // namespace hob::unit
