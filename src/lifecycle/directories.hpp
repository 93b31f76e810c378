#pragma once
// The user's own directories, and whether they may be trusted.

#include <string>

namespace hob::lifecycle {

// HOME when it is an absolute path of a directory, else the passwd entry (read by ourselves: a static binary
// has no NSS). Throws failure(config) when neither is usable.
std::string home_directory();

// What others may not do with a directory.
enum class privacy : unsigned {
    closed = 077,      // neither read nor write: the runtime dir
    unwritable = 022,  // not write: the state dir, whose files are 0600 anyway
};

// A directory of ours, no symlink, private enough: else failure(foreign) naming `path` as `what`. False:
// absent.
bool check_private_directory(const std::string& path, const char* what, privacy wanted);

}  // namespace hob::lifecycle
