#pragma once
// The only list of exit codes. Scripts rely on these numbers; man page hob(1), EXIT STATUS, says the same.

namespace hob {

enum class exit_code : int {
    done = 0,          // what was asked for is so
    failed = 1,        // the operation failed: a worker answered an error, a unit did not start
    usage = 2,         // the command line or hob.toml is wrong, also when a starting daemon reports it
    no_daemon = 3,     // no daemon, or one that is wedged, denied, foreign or in a crash loop
    deadline = 4,      // a deadline is over
    run_failed = 125,  // `hob run`: a failure of hob's own, as the command's own status passes through
};

}  // namespace hob
