// A server on a real socket, and a client that writes the input and closes its half: every line is answered
// at most once, with JSON, and afterwards nothing is left.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <string>

#include "error.hpp"
#include "fuzz/target.hpp"
#include "ipc/dispatcher.hpp"
#include "ipc/message.hpp"
#include "ipc/server.hpp"
#include "ipc/session.hpp"
#include "limits.hpp"
#include "util/fd.hpp"
#include "util/json_scan.hpp"

using namespace hob;
using test::claim;

namespace {

// One server for all inputs, in the abstract name space: nothing to clear away.
struct world {
    boost::asio::io_context loop{1};
    ipc::dispatcher methods;
    std::unique_ptr<ipc::server> server;
    sockaddr_un address{};
    socklen_t length = sizeof(sa_family_t);

    world() {
        methods.add("now", [](ipc::session&, const ipc::request& asked) {
            return asked.params.empty() ? std::string("null") : asked.params;
        });
        methods.add("later",
                    [](std::shared_ptr<ipc::session>, ipc::request) -> boost::asio::awaitable<std::string> {
                        const auto executor = co_await boost::asio::this_coro::executor;
                        co_await boost::asio::post(executor, boost::asio::use_awaitable);
                        co_return "true";
                    });
        methods.add("subscribe", [](ipc::session& from, const ipc::request&) {
            from.subscribe();
            return std::string("{}");
        });
        methods.add("fail", [](ipc::session&, const ipc::request&) -> std::string {
            throw failure(error_kind::usage, "cannot do that");
        });
        ipc::server_options options;
        options.hello_line = [] { return ipc::notification_line("hob.hello", "{}"); };
        options.owner = ::geteuid();
        server = std::make_unique<ipc::server>(loop.get_executor(), methods, std::move(options));
        util::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        address.sun_family = AF_UNIX;
        claim(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0, "it binds");
        length = sizeof address;
        claim(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0, "it has a name");
        claim(::listen(fd.get(), 8) == 0, "it listens");
        server->listen(std::move(fd));
    }
};

bool is_json(std::string_view line) {
    util::json_scanner scan(line, limits::json_depth_max + 1);
    return scan.value() && scan.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static auto& here = *new world;  // never destroyed: an event loop at exit has nothing to tell
    const util::unique_fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    claim(::connect(client.get(), reinterpret_cast<const sockaddr*>(&here.address), here.length) == 0,
          "it connects");
    std::string_view rest = test::text_of(bytes, size);
    const auto lines = std::count(rest.begin(), rest.end(), '\n') + 1;
    std::string said;
    bool ended = false, closed = false;
    int idle = 0;  // turns without any progress
    while (!ended && idle < 1000) {
        ++idle;
        if (!rest.empty()) {
            const ssize_t n =
                ::send(client.get(), rest.data(), std::min<std::size_t>(rest.size(), 977), MSG_NOSIGNAL);
            if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n)), idle = 0;
        } else if (!closed) {
            closed = ::shutdown(client.get(), SHUT_WR) == 0;
        } else if (here.server->has_subscriber()) {
            break;  // it may stay for the events that come
        }
        here.loop.restart();
        if (here.loop.poll() > 0) idle = 0;
        char chunk[65536];
        const ssize_t n = ::recv(client.get(), chunk, sizeof chunk, 0);
        if (n > 0) said.append(chunk, static_cast<std::size_t>(n)), idle = 0;
        ended = n == 0;
    }
    claim(ended || here.server->has_subscriber(), "who has asked and closed is answered and closed");
    std::ptrdiff_t answers = -1;  // the greeting is none
    std::string_view left = said;
    for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
        claim(is_json(left.substr(0, end)), "what is said is JSON");
        left.remove_prefix(end + 1);
        ++answers;
    }
    claim(left.empty(), "what is said is whole lines");
    claim(answers <= lines, "a line has one answer at most");
    here.server->close_all();
    for (int turn = 0; turn < 1000 && (here.server->clients() > 0 || here.server->in_flight() > 0); ++turn) {
        here.loop.restart();
        here.loop.poll();
    }
    claim(here.server->clients() == 0 && here.server->in_flight() == 0, "nothing is left");
    return 0;
}
