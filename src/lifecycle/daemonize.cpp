#include "lifecycle/daemonize.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/inherited.hpp"
#include "util/close_range.hpp"

namespace hob::lifecycle {
namespace {

// A caller with a lower limit meant itself, not what the daemon starts.
constexpr rlim_t nofile_floor = 256;

void close_all_but(std::span<const int> keep) {
    std::vector<int> kept(keep.begin(), keep.end());
    std::sort(kept.begin(), kept.end());
    util::close_descriptors_except(kept);
}

void stdio_to_null() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    // Keeping the caller's own would leave its pipes open: their readers would never see the end.
    if (null < 0) throw denied("open", "/dev/null", errno);
    for (int fd = 0; fd < 3; ++fd)
        ::dup2(null, fd);
    if (null > 2) ::close(null);
}

void default_signals() {
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    // A write beyond a file size limit is then an error like that of a full disk.
    ::signal(SIGXFSZ, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

caller_settings read_caller_settings() {
    caller_settings caller;
    ::getrlimit(RLIMIT_NOFILE, &caller.nofile);
    caller.nofile.rlim_cur = std::max(caller.nofile.rlim_cur, std::min(nofile_floor, caller.nofile.rlim_max));
    for (char** entry = environ; entry && *entry; ++entry)
        caller.environment.emplace_back(*entry);
    return caller;
}

void daemonize(caller_settings& caller, std::span<const int> keep, bool detach) {
    close_all_but(keep);
    if (detach) {
        ::setsid();  // fails only if this process leads a session already
        if (::chdir("/") != 0) throw denied("change to", "/", errno);
        stdio_to_null();
    }
    ::umask(077);
    default_signals();
    undo_inherited();
    ::prctl(PR_SET_NAME, this_program.name);
    ::prctl(PR_SET_PDEATHSIG, 0);
    for (const char* name : this_program.not_inherited)
        ::unsetenv(name);
    caller.kept = inherited_for_good();
    for (auto& setting : inherited_still())
        caller.kept.push_back(std::move(setting));
}

}  // namespace hob::lifecycle
