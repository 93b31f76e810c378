#include "unit/protocol/lsp/server_messages.hpp"

#include "util/json/json_edit.hpp"

namespace hob::unit {
namespace {

// MessageType of the protocol.
enum message_type { error = 1, warning = 2, info = 3 };

}  // namespace

std::string lsp_server_messages::take(session_host& host, std::string_view params) {
    const auto type = util::json_find_integer(params, {"type"});
    const auto text = util::json_find_string(params, {"message"});
    if (!text || text->empty() || type.value_or(info) > info) return {};
    host.log_output(*text + "\n");
    if (type != error) return {};
    ++errors_;
    last_error_ = text->substr(0, text->find('\n'));
    return last_error_;
}

}  // namespace hob::unit
