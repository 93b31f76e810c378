#include "unit/protocol/dap/defaults.hpp"

#include <fmt/format.h>

#include "error.hpp"
#include "unit/protocol/dap/methods.hpp"
#include "util/json/json_edit.hpp"

namespace hob::unit {
namespace {

bool lacks(const call_request& call, std::string_view key) {
    return util::json_find(call.params, {key}).empty();
}

void set_default(call_request& call, std::string_view key, const std::string& value) {
    if (!value.empty() && lacks(call, key)) call.params = util::json_set(call.params, {key}, value);
}

}  // namespace

bool wants_frame(const call_request& call, const std::string& frame) {
    if (!frame.empty()) return false;
    return wants_scope(call) || (among(dap_frame_methods, call.method) && lacks(call, "frameId"));
}

void fill_in(call_request& call, const std::string& thread, const std::string& frame) {
    if (among(dap_thread_methods, call.method)) set_default(call, "threadId", thread);
    if (among(dap_frame_methods, call.method)) set_default(call, "frameId", frame);
}

bool wants_scope(const call_request& call) {
    return among(dap_scope_methods, call.method) && lacks(call, "variablesReference");
}

void fill_in_scope(call_request& call, const std::string& scope) {
    set_default(call, "variablesReference", scope);
}

void check_supported(const std::string& unit, const std::string& method, std::string_view capabilities) {
    if (method != "restart" || util::json_find_true(capabilities, {"supportsRestartRequest"})) return;
    throw failure(error_kind::unit_failed, cannot("call", unit), "its adapter cannot restart a program",
                  fmt::format("`hob restart {}` ends the session, then `hob call {} launch …`", unit, unit));
}

}  // namespace hob::unit
