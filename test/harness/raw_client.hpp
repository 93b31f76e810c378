#pragma once
// A client on the level of the wire: sends bytes, reads lines.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "util/fd.hpp"

namespace hob::test {

class raw_client {
public:
    // Connects, through /proc/self/fd where the path is longer than a sockaddr holds. Throws test_failure.
    explicit raw_client(const std::string& socket_path);

    void send(std::string_view bytes);      // throws when the peer is gone
    bool try_send(std::string_view bytes);  // false when the peer is gone or the buffer is full for a second
    void request(std::string_view id, std::string_view method, std::string_view params = "{}");
    // The next line without its newline; nullopt at end of file. Throws test_failure at the limit.
    std::optional<std::string> line(std::chrono::milliseconds limit = std::chrono::seconds(10));
    // The next line that is a reply (has an id); notifications are skipped.
    std::string reply(std::chrono::milliseconds limit = std::chrono::seconds(10));
    void half_close();
    void close() { fd_.reset(); }
    int fd() const { return fd_.get(); }

private:
    util::unique_fd fd_;
    std::string pending_;
};

}  // namespace hob::test
