/* Times whole processes, interleaved: each round runs every case once, so that noise affects all of them.
 *
 *   run ROUNDS CASE , CASE , ...      CASE: [PREPARATION... /] COMMAND...
 *
 * A preparation is run before its command and not timed. Prints the microseconds of one round a line. Output of
 * the commands goes to /dev/null; one that fails ends the run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct timed {
    char **preparation, **command;
};

static posix_spawn_file_actions_t to_null;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int run(char **command) {
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, command[0], &to_null, NULL, command, environ) != 0) return -1;
    if (waitpid(pid, &status, 0) != pid) return -1;
    return status;
}

static size_t parse(int argc, char **argv, struct timed *cases, size_t room) {
    size_t count = 0;
    for (int i = 0; i < argc && count < room; ++i) {
        struct timed *each = &cases[count++];
        *each = (struct timed){NULL, &argv[i]};
        for (; i < argc && strcmp(argv[i], ",") != 0; ++i) {
            if (strcmp(argv[i], "/") != 0) continue;
            argv[i] = NULL;
            *each = (struct timed){each->command, &argv[i + 1]};
        }
        if (i < argc) argv[i] = NULL;
    }
    return count;
}

int main(int argc, char **argv) {
    struct timed cases[32];
    if (argc < 3) return 2;
    const size_t count = parse(argc - 2, argv + 2, cases, sizeof cases / sizeof *cases);
    posix_spawn_file_actions_init(&to_null);
    posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&to_null, 2, "/dev/null", O_WRONLY, 0);
    for (long round = atol(argv[1]); round > 0; --round) {
        for (size_t i = 0; i < count; ++i) {
            if (cases[i].preparation) run(cases[i].preparation);
            const double from = now_us();
            const int status = run(cases[i].command);
            const double took = now_us() - from;
            if (status != 0) {
                fprintf(stderr, "run: %s ended with status %d\n", cases[i].command[0], status);
                return 1;
            }
            printf("%.1f ", took);
        }
        printf("\n");
    }
    return 0;
}
