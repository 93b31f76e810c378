// `ready = { tcp = 5432 }`: ready when the service accepts a connection.

#include <fmt/format.h>

#include "limits.hpp"
#include "unit/ports/tcp_connect.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

asio::awaitable<bool> connect(const readiness_target& target) {
    const ready_spec& ready = target.ready();
    const auto socket =
        co_await connect_to(ready.host, ready.port, target.belongs, target.not_yet, owner_advice);
    co_return socket.has_value();
}

asio::awaitable<bool> probe(const readiness_target& target) {
    const auto connected = co_await util::within(limits::probe_timeout, connect(target));
    if (!connected) target.not_yet.why = fmt::format("port {}: no answer", target.ready().port);
    co_return connected.value_or(false);
}

std::string text(const ready_spec& ready) { return fmt::format("tcp = {}", ready.port); }

std::uint16_t port(const ready_spec& ready) { return ready.port; }

}  // namespace

extern constinit const readiness_kind ready_tcp{
    .form = ready_form::tcp,
    .text = text,
    .port = port,
    .probe = probe,
};

}  // namespace hob::unit
