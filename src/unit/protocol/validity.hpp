#pragma once

namespace hob::unit {

// How long a value that a protocol session stores stays valid. What was found out about a program is valid
// while `run`, `cwd` and the environment are unchanged; what a user asked for, while the unit's protocol is.
enum class validity { configuration, protocol };

}  // namespace hob::unit
