#pragma once
/* Shared by the fault shim (fault_shim.c) and the test that controls it: a file mapped by both, named by
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
    int role;                                  /* the call that fails: its process, */
    int call;                                  /* its kind, */
    unsigned nth;                              /* its number from 1 (0: none fails), */
    int error;                                 /* and the errno (0: it does not return) */
    unsigned fired;                            /* how often it failed; atomic */
    long long clock_offset_ns;                 /* added to the wall clock; atomic */
};
