#include "cmd/doctor/daemon_glance.hpp"

#include <exception>

#include "identity.hpp"
#include "limits.hpp"

namespace hob::cmd {

daemon_glance glance_at_daemon(const lifecycle::instance& where, util::deadline limit) {
    daemon_glance seen{lifecycle::probe(where, limit, limits::glance_timeout), std::nullopt};
    if (!seen.found.connection) return seen;
    try {
        const auto soon = limit.earlier(util::deadline::in(limits::glance_timeout));
        seen.status = read_status(seen.found.connection->call(this_program.methods.status, "{}", soon));
    } catch (const std::exception&) {  // it has ended meanwhile, or is too busy
    }
    return seen;
}

}  // namespace hob::cmd
