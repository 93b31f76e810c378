#pragma once
// What a handler of the wire's methods works on.

namespace hob::lifecycle {
class daemon;
}
namespace hob::unit {
class application;
}

namespace hob::cmd {

// Passed by value: a handler that is a coroutine keeps its own. The daemon outlives all handlers.
struct handler_context {
    lifecycle::daemon& daemon;
    unit::application& units;
};

}  // namespace hob::cmd
