#include "util/distant_file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "util/close_range.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/system_calls.hpp"

namespace hob::util {
namespace {

using std::chrono::milliseconds;

constexpr int opening = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// What a process that reads says first. The bytes follow.
struct answer_head {
    int error = 0;
    struct stat facts {};
};

// Open, but not a regular file: there is nothing to read. A socket cannot be opened.
void look(int fd, const char* path, answer_head& head) {
    if (fd < 0) {
        head.error = errno;
        if (head.error == ENXIO && ::stat(path, &head.facts) != 0) head.facts = {};
    } else if (::fstat(fd, &head.facts) != 0) {
        head.error = errno;
    }
}

bool has_bytes(const answer_head& head, std::size_t size_max) {
    return head.error == 0 && size_max > 0 && S_ISREG(head.facts.st_mode);
}

distant_file read_near(const unique_fd& fd, const std::string& path, std::size_t size_max) {
    answer_head head;
    look(fd.get(), path.c_str(), head);
    distant_file file{head.error, head.facts, {}};
    char chunk[16384];
    while (has_bytes(head, size_max)) {
        const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) file.error = head.error = errno;
        if (n > 0) file.bytes.append(chunk, static_cast<std::size_t>(n));
        if (file.bytes.size() > size_max) file.error = head.error = EFBIG;
    }
    return file;
}

// ---- in the process that reads: only calls that are safe after a fork ----

bool tell(int out, const void* bytes, std::size_t size) {
    const char* at = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t n = ::write(out, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

// What it has open may be a lock, which must be free when the daemon has ended.
[[noreturn]] void read_in_child(const char* path, std::size_t size_max, int out) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    constexpr int kept = 3;
    if (::dup2(out, kept) < 0) ::_exit(1);
    close_descriptors_except({&kept, 1});
    for (int fd = 0; fd < kept; ++fd)
        ::close(fd);
    answer_head head;
    int fd = -1;
    if (size_max == 0) {
        if (::stat(path, &head.facts) != 0) head.error = errno;
    } else {
        fd = ::open(path, opening);
        look(fd, path, head);
    }
    char chunk[16384];
    if (!tell(kept, &head, sizeof head)) ::_exit(1);
    while (has_bytes(head, size_max)) {
        const ssize_t n = ::read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || !tell(kept, chunk, static_cast<std::size_t>(n))) ::_exit(n < 0 ? 2 : 0);
    }
    ::_exit(0);
}

// ---- in the process that asks ----

// By path, what is read from the processes that wait for a file system. It hangs up with them.
std::map<std::string, unique_fd>& waiting() {
    static std::map<std::string, unique_fd> all;
    return all;
}

// Paths whose last reading took too long.
std::set<std::string>& silent() {
    static std::set<std::string> all;
    return all;
}

void forget_those_that_ended() {
    std::erase_if(waiting(), [](const auto& entry) {
        pollfd look{entry.second.get(), 0, 0};
        return ::poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
    });
}

pid_t start_reader(const std::string& path, std::size_t size_max, int out) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) read_in_child(path.c_str(), size_max, out);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return pid;
}

// False: not everything came in time.
bool receive(int in, std::string& text, std::size_t size_max, const deadline& until) {
    char chunk[16384];
    while (text.size() <= size_max) {
        pollfd look{in, POLLIN, 0};
        const int ready = ::poll(&look, 1, until.poll_timeout());
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t n = ::read(in, chunk, sizeof chunk);
        if (n == 0) return true;
        if (n > 0) text.append(chunk, static_cast<std::size_t>(n));
    }
    return true;
}

distant_file read_far(const std::string& path, std::size_t size_max, milliseconds limit) {
    forget_those_that_ended();
    if (waiting().contains(path)) return {ETIMEDOUT};
    if (!waiting().empty() || silent().contains(path)) limit /= 4;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {errno};
    unique_fd in(ends[0]), out(ends[1]);
    const pid_t pid = start_reader(path, size_max, out.get());
    if (pid < 0) return {errno};
    out.reset();
    std::string text;
    const std::size_t expected = sizeof(answer_head) + size_max;
    const bool in_time = receive(in.get(), text, expected, deadline::in(limit));
    // It has not been reaped, so the pid is still its own.
    if (!in_time || text.size() > expected) ::kill(pid, SIGKILL);
    if (!in_time) {
        waiting().emplace(path, std::move(in));
        silent().insert(path);
        return {ETIMEDOUT};
    }
    silent().erase(path);
    answer_head head;
    if (text.size() < sizeof head) return {EIO};
    std::memcpy(&head, text.data(), sizeof head);
    distant_file file{head.error, head.facts, text.substr(sizeof head)};
    if (file.bytes.size() > size_max) file.error = EFBIG;
    return file;
}

// Open, or empty and errno. `is_near`: that is all there is to know.
unique_fd open_near(const std::string& path, const std::string& near, int flags, bool& is_near) {
    const bool below = path.starts_with(near + "/");
    const unique_fd start = open_file(below ? near : "/", O_PATH | O_DIRECTORY);
    const std::size_t skipped = below ? path.find_first_not_of('/', near.size()) : 0;
    is_near = false;
    if (!start || skipped == std::string::npos) return {};
    unique_fd fd(open_on_one_mount(start.get(), path.c_str() + skipped, flags));
    is_near = fd || (errno != EXDEV && !is_refusal(errno));
    return fd;
}

distant_file read(const std::string& path, const std::string& near, std::size_t size_max,
                  milliseconds limit) {
    bool is_near = false;
    const unique_fd fd = open_near(path, near, size_max == 0 ? O_PATH : opening, is_near);
    return is_near ? read_near(fd, path, size_max) : read_far(path, size_max, limit);
}

}  // namespace

distant_file read_distant_file(const std::string& path, const std::string& near, std::size_t size_max,
                               milliseconds limit) {
    return read(path, near, size_max, limit);
}

distant_file look_at_distant_file(const std::string& path, const std::string& near, milliseconds limit) {
    return read(path, near, 0, limit);
}

int open_on_one_mount(int directory, const char* path, int flags) {
    open_how how{};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_NO_XDEV;
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

}  // namespace hob::util
