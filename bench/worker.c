/* A worker that speaks lines, and references for it.
 *
 *   worker                  echoes every line; "chatter N SIZE TAG" first writes N lines to standard error, SIZE
 *                           bytes a write (0: a line a write), the last of them "the end TAG"
 *   worker --chatter N SIZE the same lines to standard output, at once
 *   worker --pipe N         starts itself behind a pair of pipes and asks N times; prints requests a second
 *   worker --service UP TOLD
 *                           a service: writes its pid to the fifo UP, then does what lines in the fifo TOLD say:
 *                           "chatter N SIZE TAG", to standard output */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void chatter(FILE *to, long lines, size_t size, const char *tag) {
    static char buffer[1 << 16];
    if (size > 0) setvbuf(to, buffer, _IOFBF, size < sizeof buffer ? size : sizeof buffer);
    else setvbuf(to, buffer, _IOLBF, sizeof buffer);
    for (long i = 0; i < lines; ++i) fprintf(to, "line %ld of a child that has much to say about little\n", i);
    fprintf(to, "the end %s\n", tag);
    fflush(to);
}

static int echo(void) {
    static char line[1 << 16];
    size_t have = 0;
    for (;;) {
        const ssize_t n = read(0, line + have, sizeof line - have);
        if (n <= 0) return 0;
        have += (size_t)n;
        if (line[have - 1] != '\n') continue;
        long lines;
        size_t size;
        char tag[32];
        line[have] = 0;
        if (sscanf(line, "chatter %ld %zu %31s", &lines, &size, tag) == 3) chatter(stderr, lines, size, tag);
        if (write(1, line, have) != (ssize_t)have) return 1;
        have = 0;
    }
}

static int serve(const char *up, const char *told) {
    const int here = open(up, O_RDWR | O_CLOEXEC);
    const int orders = open(told, O_RDWR | O_CLOEXEC); /* also for writing, so that there is no end of file */
    if (here < 0 || orders < 0 || dprintf(here, "%ld\n", (long)getpid()) < 0) return 1;
    for (;;) {
        char line[128], tag[32];
        long lines;
        size_t size;
        const ssize_t n = read(orders, line, sizeof line - 1);
        if (n <= 0) return 1;
        line[n] = 0;
        if (sscanf(line, "chatter %ld %zu %31s", &lines, &size, tag) == 3) chatter(stdout, lines, size, tag);
    }
}

static int measure(const char *self, long rounds) {
    int to[2], from[2];
    char line[64];
    struct timespec begin, end;
    if (pipe(to) != 0 || pipe(from) != 0) return 1;
    if (fork() == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 10; ++fd) close(fd);
        execl(self, self, (char *)0);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    for (long i = -1; i < rounds; ++i) { /* the first round includes its start */
        if (i == 0) clock_gettime(CLOCK_MONOTONIC, &begin);
        if (write(to[1], "say x\n", 6) != 6 || read(from[0], line, sizeof line) != 6) return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.0f\n", (double)rounds / ((double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9));
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--pipe") == 0) return measure(argv[0], atol(argv[2]));
    if (argc == 4 && strcmp(argv[1], "--chatter") == 0) {
        chatter(stdout, atol(argv[2]), (size_t)atol(argv[3]), "");
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "--service") == 0) return serve(argv[2], argv[3]);
    return echo();
}
