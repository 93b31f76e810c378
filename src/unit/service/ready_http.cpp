// `ready = { http = "http://localhost:8080/health" }`: ready when the service answers a GET with the right
// status.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "limits.hpp"
#include "unit/process/tcp_connect.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

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

// The status of the answer, or `not_yet`.
asio::awaitable<std::optional<unsigned>> read_status(tcp::socket& socket, std::string& not_yet) {
    http::response_parser<http::empty_body> parser;
    std::string unparsed;
    std::array<char, 4096> chunk;
    while (!parser.is_header_done()) {
        const auto buffer = asio::buffer(chunk);
        const std::size_t n = co_await socket.async_read_some(buffer, asio::use_awaitable);
        unparsed.append(chunk.data(), n);
        boost::system::error_code error;
        const std::size_t used = parser.put(asio::buffer(unparsed), error);
        unparsed.erase(0, used);
        if (error && error != http::error::need_more) {
            not_yet = "its answer is not HTTP: " + error.message();
            co_return std::nullopt;
        }
    }
    co_return parser.get().result_int();
}

asio::awaitable<bool> request(const readiness_target& target) {
    const ready_spec& ready = target.ready();
    const url_parts url = split_url(ready.url);
    auto socket = co_await connect_to(url.host, url.port, target.belongs, target.not_yet);
    if (!socket) co_return false;
    co_await send_request(*socket, url);
    const auto status = co_await read_status(*socket, target.not_yet);
    if (!status) co_return false;
    const bool good =
        ready.status ? static_cast<int>(*status) == *ready.status : *status / 100 == 2 || *status / 100 == 3;
    if (!good) target.not_yet = fmt::format("{} answers with status {}", ready.url, *status);
    co_return good;
}

asio::awaitable<bool> probe(const readiness_target& target) {
    try {
        const auto good = co_await util::within(limits::probe_timeout, request(target));
        if (good) co_return *good;
        target.not_yet = fmt::format("{}: no answer", target.ready().url);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        target.not_yet = "no answer: " + error.code().message();
    }
    co_return false;
}

}  // namespace

extern constinit const readiness_kind ready_http{
    .form = ready_form::http,
    .probe = probe,
};

}  // namespace hob::unit
