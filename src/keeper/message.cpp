#include "keeper/message.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "error.hpp"
#include "version.hpp"

namespace hob::keeper {
namespace {

struct packet_head {
    std::uint32_t version = keeper_protocol_version;
    message_kind kind{};
    std::int32_t pid = 0;
    std::int32_t number = 0;
    std::int32_t code = 0;
    std::int32_t status = 0;
    std::uint32_t key_size = 0;
    std::uint32_t roles_size = 0;
    rusage used{};
};

std::array<char, packet_max>& shared_packet() {
    static std::array<char, packet_max> bytes;
    return bytes;
}

void take_descriptors(msghdr& packet, std::vector<util::unique_fd>& into) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&packet); part; part = CMSG_NXTHDR(&packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            into.emplace_back(fd);
        }
    }
}

receive_result decode(const char* bytes, std::size_t size, received& packet) {
    packet_head head;
    if (size < sizeof head.version) return receive_result::closed;
    std::memcpy(&packet.version, bytes, sizeof packet.version);
    if (packet.version != keeper_protocol_version) return receive_result::other_version;
    if (size < sizeof head) return receive_result::closed;
    std::memcpy(&head, bytes, sizeof head);
    const std::size_t rest = size - sizeof head;
    if (head.key_size > rest || head.roles_size > rest - head.key_size) return receive_result::closed;
    message& into = packet.what;
    into.kind = head.kind;
    into.pid = head.pid;
    into.number = head.number;
    into.exit = {head.code, head.status, head.used};
    const char* at = bytes + sizeof head;
    into.key.assign(at, head.key_size);
    into.roles.assign(at + head.key_size, head.roles_size);
    into.text.assign(at + head.key_size + head.roles_size, rest - head.key_size - head.roles_size);
    return receive_result::message;
}

}  // namespace

socket_pair make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        throw denied("make", "a socket pair", errno);
    return {util::unique_fd(ends[0]), util::unique_fd(ends[1])};
}

bool send(int socket, const message& what, std::span<const int> descriptors) {
    packet_head head;
    head.kind = what.kind;
    head.pid = what.pid;
    head.number = what.number;
    head.code = what.exit.code;
    head.status = what.exit.status;
    head.used = what.exit.used;
    head.key_size = static_cast<std::uint32_t>(what.key.size());
    head.roles_size = static_cast<std::uint32_t>(what.roles.size());
    const std::size_t size = sizeof head + what.key.size() + what.roles.size() + what.text.size();
    if (size > packet_max || descriptors.size() > descriptors_max) {
        errno = EMSGSIZE;
        return false;
    }
    iovec parts[] = {{&head, sizeof head},
                     {const_cast<char*>(what.key.data()), what.key.size()},
                     {const_cast<char*>(what.roles.data()), what.roles.size()},
                     {const_cast<char*>(what.text.data()), what.text.size()}};
    msghdr packet{};
    packet.msg_iov = parts;
    packet.msg_iovlen = std::size(parts);
    alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
    if (!descriptors.empty()) {
        packet.msg_control = control;
        packet.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* part = CMSG_FIRSTHDR(&packet);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket, &packet, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

receive_result receive(int socket, received& into) {
    auto& bytes = shared_packet();
    iovec part{bytes.data(), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control;
    packet.msg_controllen = sizeof control;
    ssize_t size = 0;
    do {
        size = ::recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return errno == EAGAIN ? receive_result::nothing : receive_result::closed;
    into.descriptors.clear();
    take_descriptors(packet, into.descriptors);
    if ((packet.msg_flags & MSG_TRUNC) != 0) return receive_result::closed;
    return decode(bytes.data(), static_cast<std::size_t>(size), into);
}

}  // namespace hob::keeper
