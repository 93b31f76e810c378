#include "unit/ports/taken_port.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using hob::unit::ports_reported_in_use;
using ports = std::vector<std::uint16_t>;

namespace {

ports found(const std::vector<std::string>& lines) {
    const auto reported = ports_reported_in_use(lines);
    BOOST_REQUIRE(reported.has_value());
    return *reported;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(taken_port)

BOOST_AUTO_TEST_CASE(C10_the_port_is_read_from_what_programs_say_when_they_cannot_listen) {
    const std::vector<std::pair<std::vector<std::string>, std::uint16_t>> programs{
        {{"Error: listen EADDRINUSE: address already in use :::3000"}, 3000},
        {{"  code: 'EADDRINUSE',", "  errno: -98,", "  syscall: 'listen',", "  address: '::',",
          "  port: 3001"},
         3001},
        {{"panic: listen tcp 127.0.0.1:8080: bind: address already in use"}, 8080},
        {{"2026/11/28 12:34:56 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)"}, 80},
        {{"Warning: Could not create server TCP listening socket *:6379: bind: Address already in use"},
         6379},
        {{"LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use",
          "HINT:  Is another postmaster already running on port 5432?"},
         5432},
        {{"ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address "
          "already "
          "in use"},
         8000},
        {{"[2026-11-28 01:02:03 +0000] [7] [ERROR] Connection in use: ('127.0.0.1', 8001)"}, 8001},
        {{"Address already in use - bind(2) for \"127.0.0.1\" port 3002 (Errno::EADDRINUSE)"}, 3002},
        {{"Error: Port 5173 is already in use"}, 5173},
        {{"Web server failed to start. Port 8085 was already in use."}, 8085},
        {{"Error: listen tcp [::1]:2019: bind: address already in use"}, 2019},
        {{"Address already in use", "Port 5000 is in use by another program."}, 5000},
    };
    for (const auto& [lines, port] : programs) {
        BOOST_TEST_CONTEXT(lines.front()) {
            const ports reported = found(lines);
            BOOST_REQUIRE(!reported.empty());
            BOOST_TEST(reported.front() == port);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_report_without_a_port_is_one) {
    BOOST_TEST(found({"OSError: [Errno 98] Address already in use"}).empty());
    BOOST_TEST(found({"at server.js:53:12", "12:22:53 Error: Address already in use (os error 98)"}).empty());
    BOOST_TEST(found({"listen: Address already in use: 70000"}).empty());
}

BOOST_AUTO_TEST_CASE(other_words_report_nothing) {
    BOOST_TEST(!ports_reported_in_use({}).has_value());
    BOOST_TEST(!ports_reported_in_use({"listening on :3000"}).has_value());
    BOOST_TEST(!ports_reported_in_use({"12 GiB of memory in use"}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
