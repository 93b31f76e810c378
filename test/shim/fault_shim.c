/* Preloaded into hob (a dynamically linked build): fails the n-th call of one kind in the client or in the daemon, or
   never returns from it, and moves the wall clock. Without HOB_FAULT_PAGE, and in every other program, it does nothing. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fault_page.h"

static struct fault_page* page;
static enum fault_role role;

/* Raw system calls, so that the shim does not count its own calls. */
static void* map_page(const char* path) {
    const long fd = syscall(SYS_openat, (long)AT_FDCWD, path, (long)(O_RDWR | O_CLOEXEC));
    if (fd < 0) return NULL;
    /* All arguments are long: the upper half of an int argument would be undefined. */
    void* mapped = (void*)syscall(SYS_mmap, NULL, sizeof(struct fault_page), (long)(PROT_READ | PROT_WRITE),
                                  (long)MAP_SHARED, fd, 0L);
    syscall(SYS_close, fd);
    return mapped == MAP_FAILED ? NULL : mapped;
}

__attribute__((constructor)) static void begin(void) {
    const char* path = getenv("HOB_FAULT_PAGE");
    const char* program = getenv("HOB_FAULT_PROGRAM");
    if (!path || !program) return;
    char text[4096];
    const long length = syscall(SYS_readlink, "/proc/self/exe", text, sizeof text - 1);
    if (length <= 0) return;
    text[length] = '\0';
    if (strcmp(text, program) != 0) return;
    const long fd = syscall(SYS_openat, (long)AT_FDCWD, "/proc/self/cmdline", (long)(O_RDONLY | O_CLOEXEC));
    const long size = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (size <= 0) return;
    role = memmem(text, (size_t)size, "--handover=", 11) ? FAULT_DAEMON : FAULT_CLIENT;
    page = map_page(path);
}

static int fails(enum fault_call call) {
    if (!page) return 0;
    const unsigned n = __atomic_add_fetch(&page->counts[role][call], 1, __ATOMIC_SEQ_CST);
    if (page->nth != n || page->role != (int)role || page->call != (int)call) return 0;
    __atomic_add_fetch(&page->fired, 1, __ATOMIC_SEQ_CST);
    while (page->error == 0)
        syscall(SYS_ppoll, NULL, 0L, NULL, NULL, 0L);
    errno = page->error;
    return 1;
}

static int is_regular(int fd) {
    struct stat found;
    const int saved = errno;
    const int yes = fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
    errno = saved;
    return yes;
}

/* The next definition of symbol `name`, looked up once. */
#define NEXT(result, name, ...)                                     \
    static result (*next)(__VA_ARGS__);                             \
    if (!next) {                                                    \
        void* symbol = dlsym(RTLD_NEXT, name);                      \
        memcpy(&next, &symbol, sizeof next);                        \
    }

static int takes_mode(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

#define DEFINE_OPEN(name)                                           \
    int name(const char* path, int flags, ...) {                    \
        NEXT(int, #name, const char*, int, ...)                     \
        mode_t mode = 0;                                            \
        if (takes_mode(flags)) {                                    \
            va_list more;                                           \
            va_start(more, flags);                                  \
            mode = va_arg(more, mode_t);                            \
            va_end(more);                                           \
        }                                                           \
        return fails(FAULT_OPEN) ? -1 : next(path, flags, mode);    \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                             \
    int name(int directory, const char* path, int flags, ...) {         \
        NEXT(int, #name, int, const char*, int, ...)                    \
        mode_t mode = 0;                                                \
        if (takes_mode(flags)) {                                        \
            va_list more;                                               \
            va_start(more, flags);                                      \
            mode = va_arg(more, mode_t);                                \
            va_end(more);                                               \
        }                                                               \
        return fails(FAULT_OPEN) ? -1 : next(directory, path, flags, mode); \
    }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

ssize_t write(int fd, const void* bytes, size_t size) {
    NEXT(ssize_t, "write", int, const void*, size_t)
    return page && is_regular(fd) && fails(FAULT_WRITE) ? -1 : next(fd, bytes, size);
}

#define DEFINE_PWRITE(name, offset_type)                                                    \
    ssize_t name(int fd, const void* bytes, size_t size, offset_type offset) {              \
        NEXT(ssize_t, #name, int, const void*, size_t, offset_type)                         \
        return page && is_regular(fd) && fails(FAULT_WRITE) ? -1 : next(fd, bytes, size, offset); \
    }
DEFINE_PWRITE(pwrite, off_t)
DEFINE_PWRITE(pwrite64, off64_t)

/* A call of up to three arguments that returns -1 on failure. */
#define DEFINE_1(name, call, type)                   \
    int name(type a) {                               \
        NEXT(int, #name, type)                       \
        return fails(call) ? -1 : next(a);           \
    }
#define DEFINE_2(name, call, first, second)          \
    int name(first a, second b) {                    \
        NEXT(int, #name, first, second)              \
        return fails(call) ? -1 : next(a, b);        \
    }
#define DEFINE_3(name, call, first, second, third)   \
    int name(first a, second b, third c) {           \
        NEXT(int, #name, first, second, third)       \
        return fails(call) ? -1 : next(a, b, c);     \
    }
DEFINE_1(fsync, FAULT_FSYNC, int)
DEFINE_1(fdatasync, FAULT_FSYNC, int)
DEFINE_2(rename, FAULT_RENAME, const char*, const char*)
DEFINE_2(flock, FAULT_FLOCK, int, int)
DEFINE_2(ftruncate, FAULT_FTRUNCATE, int, off_t)
DEFINE_2(ftruncate64, FAULT_FTRUNCATE, int, off64_t)
DEFINE_2(mkdir, FAULT_MKDIR, const char*, mode_t)
DEFINE_2(listen, FAULT_LISTEN, int, int)
DEFINE_3(socket, FAULT_SOCKET, int, int, int)
DEFINE_3(bind, FAULT_BIND, int, const struct sockaddr*, socklen_t)
DEFINE_3(connect, FAULT_CONNECT, int, const struct sockaddr*, socklen_t)
DEFINE_3(execve, FAULT_EXECVE, const char*, char* const*, char* const*)

int pipe2(int ends[2], int flags) {
    NEXT(int, "pipe2", int*, int)
    return fails(FAULT_PIPE) ? -1 : next(ends, flags);
}

pid_t fork(void) {
    NEXT(pid_t, "fork", void)
    return fails(FAULT_FORK) ? -1 : next();
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) {
    NEXT(int, "posix_spawn", pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
         char* const[], char* const[])
    return fails(FAULT_SPAWN) ? errno : next(pid, path, actions, attributes, argv, envp);
}

int accept4(int fd, struct sockaddr* address, socklen_t* size, int flags) {
    NEXT(int, "accept4", int, struct sockaddr*, socklen_t*, int)
    return fails(FAULT_ACCEPT) ? -1 : next(fd, address, size, flags);
}

#define DEFINE_MMAP(name, offset_type)                                                              \
    void* name(void* where, size_t size, int protection, int flags, int fd, offset_type offset) {   \
        NEXT(void*, #name, void*, size_t, int, int, int, offset_type)                               \
        return fails(FAULT_MMAP) ? MAP_FAILED : next(where, size, protection, flags, fd, offset);   \
    }
DEFINE_MMAP(mmap, off_t)
DEFINE_MMAP(mmap64, off64_t)

/* The wall clock. */

static long long offset(void) { return page ? __atomic_load_n(&page->clock_offset_ns, __ATOMIC_SEQ_CST) : 0; }

int clock_gettime(clockid_t clock, struct timespec* now) {
    const int result = (int)syscall(SYS_clock_gettime, (long)clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        const long long second = 1000000000;
        const long long sum = now->tv_nsec + offset() % second;
        now->tv_sec += offset() / second + (sum < 0 ? -1 : sum >= second ? 1 : 0);
        now->tv_nsec = sum < 0 ? sum + second : sum >= second ? sum - second : sum;
    }
    return result;
}

time_t time(time_t* where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval* now, void* zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
