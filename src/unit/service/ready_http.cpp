// `ready = { http = "http://localhost:8080/health" }`: ready when the service answers a GET with the right
// status.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "unit/ports/tcp_connect.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t line_max = 256u << 10;  // bytes of one line of an answer

struct url_parts {
    std::string authority, host, path;
    std::uint16_t port = 80;
};

// Of a URL that the configuration has checked: http://HOST[:PORT][/PATH].
url_parts split_url(const std::string& url) {
    const std::string rest = url.substr(std::string_view("http://").size());
    const auto slash = rest.find_first_of("/?");
    url_parts parts;
    parts.authority = rest.substr(0, slash);
    parts.path = slash == std::string::npos ? "/" : rest.substr(slash);
    if (parts.path.front() == '?') parts.path.insert(0, "/");
    parts.host = parts.authority;
    const auto bracket = parts.host.rfind(']');
    const auto colon = parts.host.rfind(':');
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
        std::from_chars(parts.host.data() + colon + 1, parts.host.data() + parts.host.size(), parts.port);
        parts.host.resize(colon);
    }
    if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
    return parts;
}

asio::awaitable<void> send_request(tcp::socket& socket, const url_parts& url) {
    const std::string request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hob\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.path, url.authority);
    const auto bytes = asio::buffer(request);
    co_await asio::async_write(socket, bytes, asio::use_awaitable);
}

// "HTTP/1.1 204 No Content": 204; nullopt: not a status line.
std::optional<unsigned> status_in(std::string_view line) {
    constexpr std::string_view version = "HTTP/1.x ";
    if (!line.starts_with("HTTP/1.") || line.size() < version.size() + 3) return std::nullopt;
    const char* const digits = line.data() + version.size();
    unsigned status = 0;
    const auto [end, error] = std::from_chars(digits, digits + 3, status);
    if (error != std::errc{} || end != digits + 3 || status < 100) return std::nullopt;
    return status;
}

// The status of the final answer, or `not_yet`. Its headers and its body are not read. Interim answers, such
// as 103, come before it and are skipped with their headers.
asio::awaitable<std::optional<unsigned>> read_status(tcp::socket& socket, std::string& not_yet) {
    std::string received;
    auto buffer = asio::dynamic_buffer(received, line_max);
    for (;;) {
        const std::size_t size = co_await asio::async_read_until(socket, buffer, '\n', asio::use_awaitable);
        const auto status = status_in(received);
        if (!status) {
            not_yet = "its answer is not HTTP";
            co_return std::nullopt;
        }
        if (*status >= 200 || *status == 101) co_return status;
        buffer.consume(size);
        for (bool blank = false; !blank;) {
            const std::size_t header =
                co_await asio::async_read_until(socket, buffer, '\n', asio::use_awaitable);
            blank = received.front() == '\r' || received.front() == '\n';
            buffer.consume(header);
        }
    }
}

asio::awaitable<bool> request(const readiness_target& target) {
    const ready_spec& ready = target.ready();
    const url_parts url = split_url(ready.url);
    auto socket = co_await connect_to(url.host, url.port, target.belongs, target.not_yet, owner_advice);
    if (!socket) co_return false;
    // A request that is cut off by the time-out says less than the answer before it.
    if (!target.not_yet.answered) target.not_yet = {fmt::format("{} has not answered", ready.url), {}, false};
    co_await send_request(*socket, url);
    const auto status = co_await read_status(*socket, target.not_yet.why);
    if (!status) co_return false;
    const bool good =
        ready.status ? static_cast<int>(*status) == *ready.status : *status / 100 == 2 || *status / 100 == 3;
    if (!good) target.not_yet = {fmt::format("{} answers with status {}", ready.url, *status), {}, true};
    co_return good;
}

// An answer may take as long as the timeout of `ready` allows: a server often needs long for its first one.
asio::awaitable<bool> probe(const readiness_target& target) {
    try {
        co_return co_await request(target);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        target.not_yet.why = "no answer: " + error.code().message();
    }
    co_return false;
}

std::string text(const ready_spec& ready) { return fmt::format("http = \"{}\"", ready.url); }

std::uint16_t port(const ready_spec& ready) { return split_url(ready.url).port; }

}  // namespace

extern constinit const readiness_kind ready_http{
    .form = ready_form::http,
    .text = text,
    .port = port,
    .probe = probe,
};

}  // namespace hob::unit
