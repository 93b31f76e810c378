#pragma once
// The only list of exit codes. Scripts rely on these numbers; man page hob(1), EXIT STATUS, says the same.

namespace hob {

enum class exit_code : int {
    done = 0,          // success
    failed = 1,        // the operation failed: a worker returned an error, a unit did not start
    usage = 2,         // the command line or the configuration is wrong, also if a starting daemon reports it
    no_daemon = 3,     // no daemon, or one that is wedged, denied, foreign or in a crash loop
    deadline = 4,      // a deadline has passed
    run_failed = 125,  // a verb that returns a command's own status: a failure that is not the command's
};

}  // namespace hob
