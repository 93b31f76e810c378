#pragma once
// What start, stop and restart have in common: units by name, the caller's environment, the units' status as
// reply.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"

namespace hob::cmd {

// Asks `method` to `verb` the operands' units, in one request with this process's environment, and prints the
// reply; on a terminal each unit's way to it as it happens. Of a unit that fails the last lines of its log
// are shown. Waits without a limit of its own: the units' own limits hold, and --timeout.
exit_code ask_units(invocation& call, std::string_view verb, std::string_view method);

// The names of all services. Throws failure(unit_failed, `cannot VERB 'every service': …`) when there is
// none.
std::vector<std::string> every_service(const unit::application& units, const char* verb, const char* hint);

// The daemon's half.
struct unit_request {
    std::vector<std::string> units;
    std::optional<std::vector<std::string>> environment;  // K=V
};

// Throws failure(usage) when the params are not {"units":[…],"env":[…]?}.
unit_request parse_unit_request(std::string_view params);

// {"units":[<status>…]} of these units, of all when none is named.
std::string unit_reply(unit::application& application, const std::vector<std::string>& units);

}  // namespace hob::cmd
