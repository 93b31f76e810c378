#include "harness/seccomp.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "harness/sandbox.hpp"

namespace hob::test {
namespace {

constexpr std::size_t calls_max = 8;

// Runs between fork and exec: no allocation.
int install_filter(const int* calls, std::size_t how_many, std::uint32_t action, unsigned flags) {
    std::array<sock_filter, calls_max * 2 + 2> code{};
    std::size_t at = 0;
    const auto add = [&](std::uint16_t operation, std::uint8_t jump_true, std::uint8_t jump_false,
                         std::uint32_t k) {
        code[at++] = sock_filter{operation, jump_true, jump_false, k};
    };
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr));
    for (std::size_t i = 0; i < how_many; ++i) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(calls[i]));
        add(BPF_RET | BPF_K, 0, 0, action);
    }
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    sock_fprog program{static_cast<unsigned short>(at), code.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const long result = ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (result < 0) ::_exit(126);
    return static_cast<int>(result);
}

}  // namespace

void fail_syscall(int call, int error_number) {
    install_filter(&call, 1, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number), 0);
}

void kill_on_syscall(int call) { install_filter(&call, 1, SECCOMP_RET_KILL_PROCESS, 0); }

syscall_gate::syscall_gate(std::initializer_list<int> calls) : calls_(calls) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        throw test_failure("cannot make a gate");
    ours_.reset(pair[0]);
    theirs_.reset(pair[1]);
}

void syscall_gate::install() {
    const int listener = install_filter(calls_.data(), calls_.size(), SECCOMP_RET_USER_NOTIF,
                                        SECCOMP_FILTER_FLAG_NEW_LISTENER);
    char byte = 0;
    iovec payload{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
    if (::sendmsg(theirs_.get(), &message, 0) < 0) ::_exit(126);
    ::close(listener);
}

bool syscall_gate::receive_listener(std::chrono::milliseconds limit) {
    if (listener_) return true;
    pollfd waiting{ours_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return false;
    char byte = 0;
    iovec payload{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(ours_.get(), &message, MSG_CMSG_CLOEXEC) < 0) return false;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return false;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    listener_.reset(fd);
    return true;
}

pid_t syscall_gate::arrival(std::chrono::milliseconds limit) {
    if (!receive_listener(limit)) throw test_failure("the gate was not installed");
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0)
        throw test_failure("nobody came to the gate");
    seccomp_notif notice{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) {
        throw test_failure("who came to the gate is gone");
    }
    arrived_ = notice.id;
    return static_cast<pid_t>(notice.pid);
}

void syscall_gate::release() {
    if (!arrived_) return;
    seccomp_notif_resp answer{};
    answer.id = *arrived_;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND,
            &answer);  // may fail: the process may have been killed meanwhile
    arrived_.reset();
}

void syscall_gate::open() {
    arrived_.reset();
    listener_.reset();
}

}  // namespace hob::test
