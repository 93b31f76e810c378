// deny CALL ERROR PROGRAM [ARGUMENT...]: runs PROGRAM while CALL fails with ERROR, as an older kernel or the
// filter of a container lets it fail. Everything that PROGRAM starts inherits that.
// deny --list: every CALL, one a line.

#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

enum class matches { number, number_and_later, number_with_flag };

struct call {
    std::string_view name;
    std::uint32_t number;
    matches how = matches::number;
    unsigned argument = 0;  // number_with_flag: which has the flag
    std::uint32_t flag = 0;
};

constexpr call calls[] = {
    {"accept4", __NR_accept4},
    {"clone3", __NR_clone3},
    {"close_range", __NR_close_range},
    {"close_range with CLOSE_RANGE_CLOEXEC", __NR_close_range, matches::number_with_flag, 2,
     CLOSE_RANGE_CLOEXEC},
    {"fdatasync", __NR_fdatasync},
    {"inotify_init1", __NR_inotify_init1},
    {"memfd_create", __NR_memfd_create},
    {"openat2", __NR_openat2},
    {"pidfd_open", __NR_pidfd_open},
    {"pidfd_send_signal", __NR_pidfd_send_signal},
    {"splice", __NR_splice},
    {"every call from number 424 on", __NR_pidfd_send_signal, matches::number_and_later},
};

std::uint32_t error_named(std::string_view name) {
    if (name == "ENOSYS") return ENOSYS;
    if (name == "EPERM") return EPERM;
    if (name == "EINVAL") return EINVAL;
    return 0;
}

sock_filter statement(int code, std::uint32_t value) {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}

// Goes on with the next statement if the comparison holds, else skips `otherwise` of them.
sock_filter unless(int comparison, std::uint32_t value, std::uint8_t otherwise) {
    return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), 0, otherwise, value};
}

std::vector<sock_filter> filter_of(const call& denied, std::uint32_t error) {
    const auto fail = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    const auto allow = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    std::vector<sock_filter> filter{statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    switch (denied.how) {
        case matches::number:
            filter.insert(filter.end(), {unless(BPF_JEQ, denied.number, 1), fail, allow});
            break;
        case matches::number_and_later:
            filter.insert(filter.end(), {unless(BPF_JGE, denied.number, 1), fail, allow});
            break;
        case matches::number_with_flag: {
            const auto argument = offsetof(seccomp_data, args) + denied.argument * sizeof(std::uint64_t);
            filter.insert(filter.end(),
                          {unless(BPF_JEQ, denied.number, 3),
                           statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(argument)),
                           unless(BPF_JSET, denied.flag, 1), fail, allow});
            break;
        }
    }
    return filter;
}

const call* call_named(std::string_view name) {
    for (const auto& each : calls) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--list") {
        for (const auto& each : calls)
            std::printf("%s\n", each.name.data());
        return 0;
    }
    const call* denied = argc > 3 ? call_named(argv[1]) : nullptr;
    const std::uint32_t error = denied ? error_named(argv[2]) : 0;
    if (error == 0) return 2;
    auto filter = filter_of(*denied, error);
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        std::perror("deny");
        return 2;
    }
    ::execvp(argv[3], argv + 3);
    std::perror(argv[3]);
    return 127;
}
