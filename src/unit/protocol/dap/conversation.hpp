#pragma once
// Where the conversation with a debug adapter stands. A session of another program goes on with it.

#include <cstdint>
#include <optional>
#include <string>

#include "unit/protocol/dap/program_output.hpp"
#include "unit/protocol/dap/program_state.hpp"
#include "unit/protocol/dap/progress.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

enum class dap_connection { open, disconnecting, ended };
// Whether the adapter wants its configuration now.
enum class dap_configuration {
    unknown,           // no launch was sent
    awaited,           // a launch was sent, and the adapter has not asked
    requested,         // the adapter has asked since the launch
    always_requested,  // the adapter asked before any launch, which counts for all launches
};
enum class dap_breakpoints { stored, restoring, settable };
enum class dap_debug_session { none, running, over };

struct dap_conversation {
    std::string capabilities{};
    program_state program{};
    bool owns_program = false;  // the program was launched, not attached to: it ends with the session
    dap_debug_session session = dap_debug_session::none;
    dap_program_output output{};  // since the last launch
    dap_progress progress{};
    std::string thread{};  // raw, of the last stop
    std::string frame{};   // raw, the top frame of `thread`; empty: not fetched yet
    std::uint64_t generation = 1;
    dap_connection connection = dap_connection::open;
    dap_configuration configuration = dap_configuration::unknown;
    dap_breakpoints breakpoints = dap_breakpoints::stored;
};

// nullopt: it is about to change, or it cannot be told exactly.
std::optional<carried_session> carried_as(const dap_conversation& conversation);
std::optional<dap_conversation> parse_dap_conversation(const std::string& text);

}  // namespace hob::unit
