#pragma once

namespace hob::util {

// Gives back what only starting needed: free heap pages to the kernel, and the mapping of the program's own
// code, most of which runs once. Code that runs again is mapped again from the page cache, at a minor fault
// for 16 pages.
void release_startup_memory();

}  // namespace hob::util
