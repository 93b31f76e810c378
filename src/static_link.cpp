// Of a statically linked hob only (see CMakeLists.txt and doc/performance.md): two things that every static
// C++ program does before main, and hob has no use for.

extern "C" {

// crtbeginT.o registers all unwind information as one unsorted list, and the first exception sorts it: 33
// million instructions. Unregistered, the unwinder finds the table that the linker has sorted
// (--eh-frame-hdr).
void __wrap___register_frame_info(const void*, void*) {}
void* __wrap___deregister_frame_info(const void*) { return nullptr; }

// What makes std::cout, cin, cerr and clog, with the locales of each. None of them is in the program, and
// test/scripts/static_link.sh sees to it that none comes in.
void __wrap__ZNSt8ios_base4InitC1Ev(void*) {}
void __wrap__ZNSt8ios_base4InitD1Ev(void*) {}
}
