#pragma once

namespace hob::util {

// Releases memory that only the start needed: free heap pages, and the mapping of the program's own code,
// most of which runs once. Code that runs again is mapped again from the page cache, at one minor fault for
// 16 pages.
void release_startup_memory();

// Returns free heap pages to the system. Takes time in proportion to the heap.
void release_free_memory();

}  // namespace hob::util
