#pragma once
// The user's home directory, and checks of the program's directories.

#include <string>

namespace hob::lifecycle {

// HOME if it is the absolute path of a directory, else the home directory in /etc/passwd, read directly
// because a static binary has no NSS. Throws failure(config) if neither is usable.
std::string home_directory();

// The permissions that others must not have on a directory.
enum class privacy : unsigned {
    closed = 077,      // neither read nor write: the runtime dir
    unwritable = 022,  // not write: the state dir, whose files are 0600 anyway
};

// Throws failure(foreign), naming `path` as `what`, unless it is a directory of this user, no symbolic link
// and as private as `required`. False: it does not exist.
bool check_private_directory(const std::string& path, const char* what, privacy required);

}  // namespace hob::lifecycle
