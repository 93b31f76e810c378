#include "util/resource_limits.hpp"

#include <algorithm>
#include <cerrno>

namespace hob::util {
namespace {

struct named_resource {
    std::string_view name;
    int resource;
};

constexpr named_resource resources[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

// The kernel knows one set of numbers; the library's type for them differs between C and C++.
bool get(int resource, rlimit& into) {
    return ::getrlimit(static_cast<__rlimit_resource>(resource), &into) == 0;
}

bool set(int resource, const rlimit& value) {
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &value) == 0;
}

}  // namespace

std::vector<resource_limit> own_resource_limits() {
    std::vector<resource_limit> limits;
    for (const auto& known : resources) {
        rlimit value{};
        if (get(known.resource, value)) limits.push_back({known.resource, value});
    }
    return limits;
}

std::string_view resource_name(int resource) {
    for (const auto& known : resources) {
        if (known.resource == resource) return known.name;
    }
    return {};
}

std::optional<int> resource_named(std::string_view name) {
    for (const auto& known : resources) {
        if (known.name == name) return known.resource;
    }
    return std::nullopt;
}

bool set_resource_limit(const resource_limit& limit) {
    if (set(limit.resource, limit.value)) return true;
    rlimit own{};
    if (errno != EPERM || !get(limit.resource, own)) return false;
    own.rlim_cur = std::min(limit.value.rlim_cur, own.rlim_max);
    return set(limit.resource, own);
}

}  // namespace hob::util
