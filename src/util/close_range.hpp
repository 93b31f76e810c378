#pragma once
// Many descriptors at once: close_range(2), and what does the same where the kernel or a filter refuses it
// (/proc/self/fd, then every number up to the limit). All of it is safe between fork and exec.

#include <span>

namespace hob::util {

// Closes every descriptor from 3 on, except those in `kept`, which is sorted.
void close_descriptors_except(std::span<const int> kept);

// Makes every descriptor from `first` on close-on-exec.
void set_cloexec_from(int first);

}  // namespace hob::util
