#pragma once
// What a language server tells people by window/logMessage and window/showMessage.

#include <cstdint>
#include <string>
#include <string_view>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

class lsp_server_messages {
public:
    // Writes the message to the log of the unit, those of type 4 (log) and 5 (debug) excepted. Returns its
    // first line if it is an error, else an empty string.
    std::string take(session_host& host, std::string_view params);

    // How many errors it has told so far, and the first line of the last one.
    std::uint64_t errors() const { return errors_; }
    const std::string& last_error() const { return last_error_; }

private:
    std::uint64_t errors_ = 0;
    std::string last_error_;
};

}  // namespace hob::unit
