// The one translation unit with Boost.Process v2's compiled part: header-only use of 1.81 does not link.
// From 1.86 on it is a library of Boost's.
#include <boost/version.hpp>
#if BOOST_VERSION < 108600
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <boost/process/v2/src.hpp>
#pragma GCC diagnostic pop
#endif
