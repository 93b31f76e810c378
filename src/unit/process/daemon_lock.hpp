#pragma once
// Recognizes hob daemons by the lock of their instance. A name proves nothing: any program may be called hob.

#include <sys/types.h>

namespace hob::unit {

// Whether the process has the lock of an instance: an open pid file, `*.pid`, on which it holds both a flock
// and an OFD write lock. True also if its descriptors cannot be examined.
bool holds_daemon_lock(pid_t pid);

}  // namespace hob::unit
