#pragma once
// hob with one system call that fails, or a wall clock that is wrong: the dynamically linked build under the
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
    void fail(fault_role role, fault_call call, unsigned nth, int error);
    void fail_nothing();
    bool fired() const;
    void move_clock(std::chrono::nanoseconds offset);  // of the wall clock, from what it really is

private:
    std::string path_;
    fault_page* page_;
};

const char* name_of(fault_role role);
const char* name_of(fault_call call);
// What a kernel may well say to that call.
std::vector<int> errors_of(fault_call call);

}  // namespace hob::test
