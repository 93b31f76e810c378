#pragma once
/* What the fault shim (fault_shim.c) and the test that drives it share: a file, mapped by both, named by
   HOB_FAULT_PAGE. C and C++. */

enum fault_role { FAULT_CLIENT, FAULT_DAEMON, FAULT_ROLES };

enum fault_call {
    FAULT_OPEN,
    FAULT_WRITE, /* and pwrite, to regular files */
    FAULT_FSYNC, /* and fdatasync */
    FAULT_RENAME,
    FAULT_FLOCK,
    FAULT_FORK,
    FAULT_SPAWN, /* posix_spawn */
    FAULT_EXECVE,
    FAULT_BIND,
    FAULT_LISTEN,
    FAULT_ACCEPT,
    FAULT_MMAP,
    FAULT_FTRUNCATE,
    FAULT_MKDIR,
    FAULT_SOCKET,
    FAULT_CONNECT,
    FAULT_PIPE,
    FAULT_CALLS
};

struct fault_page {
    unsigned counts[FAULT_ROLES][FAULT_CALLS]; /* how often each was called; atomic */
    int role;                                  /* the one call that fails: whose, */
    int call;                                  /* which, */
    unsigned nth;                              /* the how manyth (0: none fails), */
    int error;                                 /* and with which errno */
    unsigned fired;                            /* how often it did; atomic */
    long long clock_offset_ns;                 /* added to the wall clock; atomic */
};
