#pragma once
// The last lines of what the adapter and the program said, for the error of a launch.

#include <string>
#include <string_view>

namespace hob::unit {

class dap_program_output {
public:
    void clear() { text_.clear(); }
    // `params` of an `output` event. Telemetry is left out.
    void on_output(std::string_view params);
    // One line for people; empty: nothing was said.
    std::string last_lines() const;

private:
    std::string text_;
};

}  // namespace hob::unit
