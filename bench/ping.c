/* The reference for `hob ping`: the same work in static C. Built twice, see ./dev bench.
 *
 *   ping_client SOCKET            connects, reads the greeting, asks, prints the reply
 *   ping_client --cold DIR        the same; without a server it starts ping_server beside itself, which says on an
 *                                 inherited pipe when it is ready
 *   ping_client --stop DIR        ends that server and returns when it is gone
 *   ping_server SOCKET [FD]       binds, says ready on FD, serves until SIGTERM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) exit(2);
    strcpy(address.sun_path, path);
    return address;
}

#ifdef PROGRAM_ping_client

static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.ping\",\"params\":{}}\n";

static int try_connect(const char *path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = address_of(path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static size_t read_line(int fd, char *line, size_t room) {
    size_t have = 0;
    while (have == 0 || line[have - 1] != '\n') {
        const ssize_t n = read(fd, line + have, room - have);
        if (n <= 0) die("read");
        have += (size_t)n;
    }
    return have;
}

static void start_server(const char *directory) {
    char socket_path[256], pid_path[256], program[512], number[16], ready;
    snprintf(socket_path, sizeof socket_path, "%s/c.sock", directory);
    snprintf(pid_path, sizeof pid_path, "%s/c.pid", directory);
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
    if (n < 0) die("readlink");
    program[n] = 0;
    strcpy(strrchr(program, '/') + 1, "ping_server");
    const int lock = open(pid_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) die("flock");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) die("pipe2");
    const pid_t pid = fork();
    if (pid == 0) {
        setsid();
        const int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
        fcntl(ends[1], F_SETFD, 0);
        fcntl(lock, F_SETFD, 0);
        snprintf(number, sizeof number, "%d", ends[1]);
        execl(program, "ping_server", socket_path, number, (char *)0);
        _exit(127);
    }
    close(ends[1]);
    if (read(ends[0], &ready, 1) != 1) die("the server did not start");
    close(ends[0]);
}

static int stop_server(const char *directory) {
    char path[256];
    struct ucred peer;
    socklen_t size = sizeof peer;
    snprintf(path, sizeof path, "%s/c.sock", directory);
    const int fd = try_connect(path);
    if (fd < 0) return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) die("getsockopt");
    const int process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    kill(peer.pid, SIGKILL);
    struct pollfd gone = {.fd = process, .events = POLLIN};
    if (poll(&gone, 1, 10000) != 1) die("poll");
    return unlink(path);
}

int main(int argc, char **argv) {
    char line[4096], path[256];
    int fd;
    if (argc == 3 && strcmp(argv[1], "--stop") == 0) return stop_server(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--cold") == 0) {
        snprintf(path, sizeof path, "%s/c.sock", argv[2]);
        fd = try_connect(path);
        if (fd < 0) {
            start_server(argv[2]);
            fd = try_connect(path);
        }
    } else {
        fd = argc == 2 ? try_connect(argv[1]) : -1;
    }
    if (fd < 0) die("connect");
    read_line(fd, line, sizeof line);
    if (write(fd, request, sizeof request - 1) < 0) die("write");
    const size_t n = read_line(fd, line, sizeof line);
    return write(1, line, n) < 0;
}

#endif
#ifdef PROGRAM_ping_server

static const char hello[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"hob.hello\",\"params\":{\"protocol\":1,\"version\":\"0.1.0\",\"pid\":12345,"
    "\"instance\":\"p-0123456789ab\",\"root\":\"/tmp/p\",\"state\":\"running\",\"capabilities\":[]}}\n";
static const char reply[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"pid\":12345,\"version\":\"0.1.0\",\"protocol\":1,\"state\":"
    "\"running\",\"uptime_ms\":1234}}\n";

int main(int argc, char **argv) {
    struct pollfd fds[256];
    nfds_t count = 1;
    char buffer[65536];
    if (argc < 2) return 2;
    unlink(argv[1]);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = address_of(argv[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 128) != 0) die("bind");
    if (argc > 2) {
        const int ready = atoi(argv[2]);
        if (write(ready, "r", 1) != 1) die("write");
        close(ready);
    }
    signal(SIGPIPE, SIG_IGN);
    fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(fds, count, -1) < 0 && errno != EINTR) die("poll");
        for (nfds_t i = count; i-- > 1;) {
            if (fds[i].revents == 0) continue;
            const ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
            if (n <= 0) {
                close(fds[i].fd);
                fds[i] = fds[--count];
                continue;
            }
            for (ssize_t at = 0; at < n; ++at) {
                if (buffer[at] == '\n' && write(fds[i].fd, reply, sizeof reply - 1) < 0) break;
            }
        }
        if (fds[0].revents != 0 && count < 256) {
            const int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (peer < 0) continue;
            if (write(peer, hello, sizeof hello - 1) < 0) die("write");
            fds[count++] = (struct pollfd){.fd = peer, .events = POLLIN};
        }
    }
}

#endif
