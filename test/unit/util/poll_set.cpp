#include "util/poll_set.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace {

using hob::util::poll_set;
using hob::util::unique_fd;

// Two connected sockets: one is in the set, the test holds the other.
struct member {
    explicit member(int index) : name(index) {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        inside.reset(ends[0]);
        outside.reset(ends[1]);
    }
    void speak() const { BOOST_REQUIRE(::write(outside.get(), "x", 1) == 1); }
    void hear() const {
        char byte = 0;
        BOOST_TEST(::read(inside.get(), &byte, 1) == 1);
    }

    int name;
    unique_fd inside, outside;
};

struct teller final : poll_set::listener {
    teller(std::shared_ptr<poll_set> of, int& told) : keeps(std::move(of)), count(told) {}
    void on_ready() override { ++count; }

    std::shared_ptr<poll_set> keeps;
    int& count;
};

struct fixture {
    fixture() : set(std::make_shared<poll_set>(io.get_executor())) {
        for (int i = 0; i < 300; ++i)
            members.push_back(std::make_unique<member>(i));
    }
    ~fixture() { BOOST_TEST(told == asked); }

    void add(int index, std::uint32_t events = EPOLLIN) {
        BOOST_REQUIRE(set->add(members[index]->inside.get(), members[index].get(), events));
    }
    void remove(int index) { set->remove(members[index]->inside.get()); }
    void wait() {
        ++asked;
        set->wait(std::make_shared<teller>(set, told));
    }
    void run() {
        io.restart();
        io.run();
    }
    // The ready events once the event loop has nothing more to do.
    std::set<int> ready() {
        std::set<int> found;
        for (const epoll_event& one : set->take()) {
            seen |= one.events;
            found.insert(static_cast<member*>(one.data.ptr)->name);
        }
        return found;
    }

    boost::asio::io_context io;
    std::shared_ptr<poll_set> set;
    std::vector<std::unique_ptr<member>> members;
    int asked = 0, told = 0;
    std::uint32_t seen = 0;
};

using names = std::set<int>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(poll_set_suite, fixture)

BOOST_AUTO_TEST_CASE(a_single_member_is_notified) {
    add(0);
    for (int round = 0; round < 3; ++round) {
        wait();
        members[0]->speak();
        run();
        BOOST_TEST(ready() == names{0}, boost::test_tools::per_element());
        members[0]->hear();
    }
}

BOOST_AUTO_TEST_CASE(a_wait_continues_from_a_single_member_to_several) {
    add(0);
    wait();
    add(1);
    members[1]->speak();
    run();
    BOOST_TEST(ready() == names{1}, boost::test_tools::per_element());
    members[0]->speak();
    wait();
    run();
    BOOST_TEST((ready() == names{0, 1}));
}

BOOST_AUTO_TEST_CASE(a_wait_on_an_empty_set_continues_with_the_first_member) {
    add(0);
    add(1);
    remove(0);
    remove(1);
    wait();
    add(2);
    members[2]->speak();
    run();
    BOOST_TEST(ready() == names{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_the_last_member_is_removed) {
    add(0);
    wait();
    remove(0);
    run();
    BOOST_TEST(told == 1);
    BOOST_TEST(ready().empty());
}

BOOST_AUTO_TEST_CASE(unread_input_is_reported_again) {
    add(0);
    add(1);
    members[0]->speak();
    members[0]->speak();
    for (int round = 0; round < 2; ++round) {
        wait();
        run();
        BOOST_TEST(ready() == names{0}, boost::test_tools::per_element());
        members[0]->hear();
    }
    BOOST_TEST(ready().empty());
}

BOOST_AUTO_TEST_CASE(every_one_of_many_members_is_reported) {
    names expected, found;
    for (int i = 0; i < 300; ++i) {
        add(i);
        members[i]->speak();
        expected.insert(i);
    }
    while (found.size() < expected.size()) {
        wait();
        run();
        const auto some = ready();
        BOOST_REQUIRE(!some.empty());
        for (const int each : some)
            members[each]->hear();
        found.insert(some.begin(), some.end());
    }
    BOOST_TEST((found == expected));
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_reported_without_any_event_mask) {
    add(0);
    BOOST_REQUIRE(set->change(members[0]->inside.get(), members[0].get(), 0));
    members[0]->speak();
    BOOST_TEST(ready().empty());
    members[0]->outside.reset();
    wait();
    run();
    BOOST_TEST(ready() == names{0}, boost::test_tools::per_element());
    BOOST_TEST((seen & EPOLLHUP) != 0u);
    BOOST_TEST((seen & EPOLLIN) == 0u);
}

BOOST_AUTO_TEST_CASE(writability_is_reported_on_request) {
    add(0);
    BOOST_REQUIRE(set->change(members[0]->inside.get(), members[0].get(), EPOLLIN | EPOLLOUT));
    wait();
    run();
    BOOST_TEST(ready() == names{0}, boost::test_tools::per_element());
    BOOST_TEST(seen == EPOLLOUT);
}

// A child holds such a copy between fork and exec.
BOOST_AUTO_TEST_CASE(a_copy_of_a_removed_descriptor_reports_nothing) {
    add(0);
    add(1);
    const unique_fd copy(::dup(members[0]->inside.get()));
    remove(0);
    members[0]->inside.reset();
    members[0]->speak();
    BOOST_TEST(ready().empty());
}

BOOST_AUTO_TEST_CASE(closing_ends_a_wait) {
    add(0);
    wait();
    set->close();
    run();
    BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_SUITE_END()
