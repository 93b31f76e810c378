#pragma once
// The user's home directory, and checks of the program's directories.

#include <string>

namespace hob::lifecycle {

// HOME if it is the absolute path of a directory, else the home directory in /etc/passwd, read directly
// because a static binary has no NSS. Throws failure(config) if neither is usable, and failure(foreign) if
// HOME belongs to another user, unless runtime and state directory are both given.
std::string home_directory();

// Both must be directories of this user.
enum class directory_kind {
    runtime,  // nobody else may read or write it
    state,    // nobody else may write it; its files are 0600 anyway
};

// A hint: how to get away from a directory that cannot be used.
std::string way_out(directory_kind kind);

// Throws failure(foreign) unless `path` is a directory of this user, no symbolic link and as private as its
// kind must be; failure(denied) if that cannot be found out. False: it does not exist.
bool check_private_directory(const std::string& path, directory_kind kind);

}  // namespace hob::lifecycle
