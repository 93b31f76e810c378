// A server on a real socket, and a client that writes the input and closes its half of the connection. Every
// line gets at most one answer, which is JSON, and no client or request is left afterwards.

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
#include "util/json/json_scan.hpp"

using namespace hob;
using test::claim;

namespace {

// One server for all inputs. Its socket is in the abstract name space, so there is no file to remove.
struct test_server {
    boost::asio::io_context loop{1};
    ipc::dispatcher methods;
    std::unique_ptr<ipc::server> server;
    sockaddr_un address{};
    socklen_t length = sizeof(sa_family_t);

    test_server() {
        methods.add("now", [](ipc::session&, const ipc::request& request) {
            return request.params.empty() ? std::string("null") : request.params;
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
        claim(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0,
              "the socket is bound");
        length = sizeof address;
        claim(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0,
              "the socket has a name");
        claim(::listen(fd.get(), 8) == 0, "the socket listens");
        server->listen(std::move(fd));
    }
};

bool is_json(std::string_view line) {
    util::json_scanner scan(line, limits::json_depth_max + 1);
    return scan.value() && scan.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static auto& tested = *new test_server;  // never destroyed: the exit of the process ends it
    const util::unique_fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    claim(::connect(client.get(), reinterpret_cast<const sockaddr*>(&tested.address), tested.length) == 0,
          "the client connects");
    std::string_view rest = test::text_of(bytes, size);
    const auto lines = std::count(rest.begin(), rest.end(), '\n') + 1;
    std::string output;
    bool ended = false, closed = false;
    int idle = 0;  // turns of the loop without progress
    while (!ended && idle < 1000) {
        ++idle;
        if (!rest.empty()) {
            const ssize_t n =
                ::send(client.get(), rest.data(), std::min<std::size_t>(rest.size(), 977), MSG_NOSIGNAL);
            if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n)), idle = 0;
        } else if (!closed) {
            closed = ::shutdown(client.get(), SHUT_WR) == 0;
        } else if (tested.server->has_subscriber()) {
            break;  // a subscriber stays connected
        }
        tested.loop.restart();
        if (tested.loop.poll() > 0) idle = 0;
        char chunk[65536];
        const ssize_t n = ::recv(client.get(), chunk, sizeof chunk, 0);
        if (n > 0) output.append(chunk, static_cast<std::size_t>(n)), idle = 0;
        ended = n == 0;
    }
    claim(ended || tested.server->has_subscriber(),
          "a client that has closed its half is answered and disconnected");
    std::ptrdiff_t answers = -1;  // the greeting is not an answer
    std::string_view left = output;
    for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
        claim(is_json(left.substr(0, end)), "every line is JSON");
        left.remove_prefix(end + 1);
        ++answers;
    }
    claim(left.empty(), "the output ends with a whole line");
    claim(answers <= lines, "a line gets at most one answer");
    tested.server->close_all();
    for (int turn = 0; turn < 1000 && (tested.server->clients() > 0 || tested.server->in_flight() > 0);
         ++turn) {
        tested.loop.restart();
        tested.loop.poll();
    }
    claim(tested.server->clients() == 0 && tested.server->in_flight() == 0, "no client or request is left");
    return 0;
}
