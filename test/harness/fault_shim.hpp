#pragma once
// Runs hob with one failing system call, or with a wrong wall clock: the dynamically linked build under the
// preloaded library of test/shim.

#include <string>
#include <vector>

#include "harness/sandbox.hpp"
#include "shim/fault_page.h"

namespace hob::test {

class fault_shim {
public:
    explicit fault_shim(const sandbox& box);
    ~fault_shim();
    fault_shim(const fault_shim&) = delete;
    fault_shim& operator=(const fault_shim&) = delete;

    // For box.run(): the program under the shim.
    run_options options() const;

    unsigned count(fault_role role, fault_call call) const;
    void fail(fault_role role, fault_call call, unsigned nth, int error);  // 0: it does not return
    void fail_nothing();
    bool fired() const;
    void move_clock(std::chrono::nanoseconds offset);  // relative to the real wall clock

private:
    std::string path_;
    fault_page* page_;
};

const char* name_of(fault_role role);
const char* name_of(fault_call call);
// The errors that a kernel may return for that call.
std::vector<int> errors_of(fault_call call);

}  // namespace hob::test
