#pragma once
// The last lines of what the adapter and the program said, for the error of a launch.

#include <string>
#include <string_view>
#include <utility>

#include "error.hpp"

namespace hob::unit {

class dap_program_output {
public:
    void clear() { text_.clear(); }
    // `params` of an `output` event. Telemetry is left out.
    void on_output(std::string_view params);
    // The failure with the last lines of the output as its hint, if it has none. Often only the output says
    // why a program could not be built or started.
    failure added_to(const failure& refused) const;
    const std::string& text() const { return text_; }
    void restore(std::string text) { text_ = std::move(text); }

private:
    std::string last_lines() const;  // one line for people; empty: nothing was said

    std::string text_;
};

}  // namespace hob::unit
