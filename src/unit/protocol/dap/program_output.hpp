#pragma once
// The last lines of what the adapter and the program said, for the error of a launch.

#include <string>
#include <string_view>

#include "error.hpp"

namespace hob::unit {

class dap_program_output {
public:
    void clear() { text_.clear(); }
    // `params` of an `output` event. Telemetry is left out.
    void on_output(std::string_view params);
    // With what was said as its hint: the reason why a program could not be built or started is often there
    // only.
    failure added_to(const failure& refused) const;

private:
    std::string last_lines() const;  // one line for people; empty: nothing was said

    std::string text_;
};

}  // namespace hob::unit
