#pragma once
// Requests of the debug adapter protocol by what hob does about them.

#include <algorithm>
#include <array>
#include <string_view>

namespace hob::unit {

// They let the program run, and therefore must not overlap.
constexpr std::array<std::string_view, 10> dap_running_methods{
    "launch", "attach",  "restart",  "continue", "next",
    "stepIn", "stepOut", "stepBack", "goto",     "reverseContinue",
};
// They want `threadId`.
constexpr std::array<std::string_view, 10> dap_thread_methods{
    "continue",        "next", "stepIn", "stepOut",    "stepBack",
    "reverseContinue", "goto", "pause",  "stackTrace", "exceptionInfo"};
// They want `frameId`.
constexpr std::array<std::string_view, 5> dap_frame_methods{"scopes", "evaluate", "restartFrame",
                                                            "setExpression", "stepInTargets"};
// They want `variablesReference`.
constexpr std::array<std::string_view, 2> dap_scope_methods{"variables", "setVariable"};
// All that the protocol defines for clients.
constexpr std::array<std::string_view, 43> dap_methods{
    "launch",
    "attach",
    "setBreakpoints",
    "setFunctionBreakpoints",
    "setExceptionBreakpoints",
    "setInstructionBreakpoints",
    "setDataBreakpoints",
    "dataBreakpointInfo",
    "breakpointLocations",
    "configurationDone",
    "continue",
    "next",
    "stepIn",
    "stepOut",
    "stepBack",
    "stepInTargets",
    "reverseContinue",
    "goto",
    "gotoTargets",
    "pause",
    "restart",
    "restartFrame",
    "threads",
    "stackTrace",
    "scopes",
    "variables",
    "evaluate",
    "setVariable",
    "setExpression",
    "exceptionInfo",
    "source",
    "loadedSources",
    "modules",
    "completions",
    "disassemble",
    "readMemory",
    "writeMemory",
    "locations",
    "terminate",
    "terminateThreads",
    "disconnect",
    "cancel",
    "initialize",
};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Events of a debug session, which do not come without one.
inline bool is_session_event(std::string_view name) {
    constexpr std::array<std::string_view, 6> session_events{"stopped",    "continued", "exited",
                                                             "terminated", "process",   "thread"};
    return among(session_events, name);
}

}  // namespace hob::unit
