#pragma once

namespace hob::unit {

// How long a value that a protocol session stores stays valid. Facts about a program are valid while `run`,
// `cwd` and the environment are unchanged; requests of a user are valid while the protocol of the unit is.
enum class validity { configuration, protocol };

}  // namespace hob::unit
