#include "ipc/draining.hpp"

#include <string>
#include <utility>

#include "util/json/json_writer.hpp"

namespace hob::ipc {
namespace {

std::string draining_detail() {
    util::json_object detail;
    detail.add("draining", true);
    return std::move(detail).text();
}

}  // namespace

failure draining_refusal() {
    return failure(error_kind::no_daemon, cannot("begin anything"), "the daemon is shutting down", {},
                   draining_detail());
}

bool is_draining_refusal(const failure& why) {
    return why.kind() == error_kind::no_daemon && why.detail() == draining_detail();
}

}  // namespace hob::ipc
