/* Requests a second on one or many connections, pipelined or not, to hob or to redis.
 *
 *   load SOCKET hob|redis CONNECTIONS DEPTH REQUESTS [LINE]
 *
 * DEPTH requests are sent at once on every connection, then their replies are awaited. LINE replaces the request.
 * Both protocols answer a request with one line; hob greets with one more. Prints requests a second. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct connection {
    int fd;
    long awaited;
};

static char *batch;
static size_t batch_size;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long lines_of(const char *bytes, ssize_t size) {
    long count = 0;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(bytes + size - at))); ++at) ++count;
    return count;
}

static void open_connection(struct connection *made, const char *path, int greets) {
    char byte = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) exit(2);
    strcpy(address.sun_path, path);
    made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(made->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    while (greets && byte != '\n') {
        if (read(made->fd, &byte, 1) != 1) die("greeting");
    }
}

static void ask(struct connection *of, long depth) {
    of->awaited = depth;
    if (write(of->fd, batch, batch_size) != (ssize_t)batch_size) die("write");
}

static void take(struct connection *of) {
    static char bytes[1 << 16];
    const ssize_t n = read(of->fd, bytes, sizeof bytes);
    if (n <= 0) die("read");
    of->awaited -= lines_of(bytes, n);
}

/* A single connection needs no epoll, which keeps the client cheap. */
static void one(struct connection *it, long depth, long rounds) {
    for (long i = 0; i < rounds; ++i) {
        ask(it, depth);
        while (it->awaited > 0) take(it);
    }
}

static void many(struct connection *all, long count, long depth, long rounds) {
    struct epoll_event events[256];
    const int poller = epoll_create1(EPOLL_CLOEXEC);
    long asked = 0, open = count;
    for (long i = 0; i < count; ++i) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &wanted) != 0) die("epoll_ctl");
        ask(&all[i], depth);
        ++asked;
    }
    while (open > 0) {
        const int n = epoll_wait(poller, events, 256, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; ++i) {
            struct connection *ready = events[i].data.ptr;
            take(ready);
            if (ready->awaited > 0) continue;
            if (asked < rounds) {
                ask(ready, depth);
                ++asked;
            } else {
                --open;
            }
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    const int hob = strcmp(argv[2], "hob") == 0;
    const long count = atol(argv[3]), depth = atol(argv[4]), rounds = atol(argv[5]) / depth;
    const char *line = hob ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.ping\",\"params\":{}}" : "PING\r";
    if (argc > 6) line = argv[6];
    batch = malloc((strlen(line) + 2) * (size_t)depth);
    for (long i = 0; i < depth; ++i) batch_size += (size_t)sprintf(batch + batch_size, "%s\n", line);
    struct connection *all = calloc((size_t)count, sizeof *all);
    for (long i = 0; i < count; ++i) open_connection(&all[i], argv[1], hob);
    const double from = now();
    if (count == 1) one(all, depth, rounds);
    else many(all, count, depth, rounds);
    printf("%.0f\n", (double)(rounds * depth) / (now() - from));
    return 0;
}
