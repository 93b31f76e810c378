#include "unit/usage.hpp"

#include <unistd.h>

#include "util/proc.hpp"

namespace hob::unit {

usage tree_usage(pid_t root) {
    static const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
    static const long page_kib = ::sysconf(_SC_PAGESIZE) / 1024;
    usage sum;
    for (const auto& process : util::process_tree(root)) {
        sum.rss_kib += static_cast<std::int64_t>(process.rss_pages) * page_kib;
        sum.cpu_ms += static_cast<std::int64_t>(process.cpu_ticks) * 1000 / ticks_per_second;
    }
    return sum;
}

}  // namespace hob::unit
