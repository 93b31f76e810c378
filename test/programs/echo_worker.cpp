// A worker for tests: JSON-RPC 2.0, one JSON text a line. Methods:
//   echo X     X            pid        its pid           sleep {"ms":N}  after that long
//   env NAME   the value    die        SIGKILL           escape          forks a child that leaves the
//   session burn       an endless loop; everything else is an error

#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

namespace json = boost::json;

// A grandchild in a session of its own that ignores SIGTERM; its pid.
int escape() {
    int report[2];
    if (::pipe(report) != 0) return -1;
    if (::fork() == 0) {
        ::setsid();
        const int pid = ::fork();
        if (pid != 0) {
            if (::write(report[1], &pid, sizeof pid) < 0) ::_exit(1);
            ::_exit(0);
        }
        ::signal(SIGTERM, SIG_IGN);
        ::signal(SIGHUP, SIG_IGN);
        ::close(0);
        ::close(1);
        ::close(2);
        for (;;)
            ::pause();
    }
    int pid = -1;
    if (::read(report[0], &pid, sizeof pid) < 0) return -1;
    ::close(report[0]);
    ::close(report[1]);
    return pid;
}

json::value answer(const json::string& method, const json::value& params) {
    if (method == "echo") return params;
    if (method == "pid") return ::getpid();
    if (method == "die") ::raise(SIGKILL);
    if (method == "escape") return escape();
    if (method == "sleep") {
        ::usleep(static_cast<useconds_t>(params.at("ms").to_number<unsigned>() * 1000));
        return "slept";
    }
    if (method == "env") {
        const char* value = std::getenv(params.as_string().c_str());
        return value != nullptr ? json::value(value) : json::value(nullptr);
    }
    throw std::runtime_error("unknown method");
}

}  // namespace

int main(int argc, char** argv) {
    const bool stubborn = argc > 1 && std::string(argv[1]) == "stubborn";
    if (stubborn) ::signal(SIGTERM, SIG_IGN);
    std::string line;
    while (std::getline(std::cin, line)) {
        const json::value request = json::parse(line);
        const auto* id = request.as_object().if_contains("id");
        if (id == nullptr) continue;
        json::object reply{{"jsonrpc", "2.0"}, {"id", *id}};
        try {
            const auto* params = request.as_object().if_contains("params");
            reply["result"] =
                answer(request.at("method").as_string(), params != nullptr ? *params : json::value());
        } catch (const std::exception& error) {
            reply["error"] = {{"code", -32601}, {"message", error.what()}};
        }
        std::cout << json::serialize(reply) << std::endl;
    }
    // Neither SIGTERM nor the end of its input ends it.
    while (stubborn)
        ::pause();
}
