// For the statically linked binary only (see CMakeLists.txt and doc/performance.md): replaces two pieces of
// start-up work of every static C++ program that hob does not need.

extern "C" {

// crtbeginT.o registers all unwind information as one unsorted list, which the first exception sorts: 33
// million instructions. Without it, the unwinder uses the table that the linker has sorted (--eh-frame-hdr).
void __wrap___register_frame_info(const void*, void*) {}
void* __wrap___deregister_frame_info(const void*) { return nullptr; }

// Constructs std::cout, cin, cerr and clog with their locales. The program uses none of them, which
// test/scripts/static_link.sh checks.
void __wrap__ZNSt8ios_base4InitC1Ev(void*) {}
void __wrap__ZNSt8ios_base4InitD1Ev(void*) {}
}
