#include "util/close_range.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <functional>

#include "harness/seccomp.hpp"

using namespace hob;

namespace {

constexpr int high = 900;

// In a child, with descriptors 10, 11 and `high` open besides its own.
bool holds_in_child(const std::function<bool()>& check) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        for (const int fd : {10, 11, high}) {
            if (::dup2(0, fd) != fd) ::_exit(2);
        }
        ::_exit(check() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    return status == 0;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool closes_on_exec(int fd) { return ::fcntl(fd, F_GETFD) == FD_CLOEXEC; }

bool closes_all_but_11() {
    const std::array kept{11};
    util::close_descriptors_except(kept);
    return !is_open(3) && !is_open(10) && is_open(11) && !is_open(high) && is_open(0) && is_open(2);
}

bool marks_from_11() {
    util::set_cloexec_from(11);
    return !closes_on_exec(10) && closes_on_exec(11) && closes_on_exec(high);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(close_range_replaced)

BOOST_AUTO_TEST_CASE(closes_and_marks_by_the_call) {
    BOOST_TEST(holds_in_child(closes_all_but_11));
    BOOST_TEST(holds_in_child(marks_from_11));
}

BOOST_AUTO_TEST_CASE(L36_L46_closes_and_marks_by_the_list_of_proc) {
    for (const int error : {ENOSYS, EPERM, EINVAL}) {
        const auto refuse = [error] { test::fail_syscall(__NR_close_range, error); };
        BOOST_TEST(holds_in_child([&] { return refuse(), closes_all_but_11(); }));
        BOOST_TEST(holds_in_child([&] { return refuse(), marks_from_11(); }));
    }
}

BOOST_AUTO_TEST_CASE(L36_L46_closes_and_marks_one_by_one_without_proc) {
    const auto refuse = [] {
        test::fail_syscall(__NR_close_range, ENOSYS);
        test::fail_syscall(__NR_openat, ENOENT);
    };
    BOOST_TEST(holds_in_child([&] { return refuse(), closes_all_but_11(); }));
    BOOST_TEST(holds_in_child([&] { return refuse(), marks_from_11(); }));
}

BOOST_AUTO_TEST_SUITE_END()
