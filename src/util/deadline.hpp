#pragma once
// The point in monotonic time at which a wait ends, or never.

#include <algorithm>
#include <chrono>
#include <optional>

namespace hob::util {

class deadline {
public:
    using clock = std::chrono::steady_clock;

    static deadline never() { return deadline(std::nullopt, std::chrono::milliseconds::max()); }
    static deadline in(std::chrono::milliseconds limit) {
        const auto now = clock::now();
        // A limit beyond the clock's range never ends.
        if (limit > std::chrono::duration_cast<std::chrono::milliseconds>(clock::time_point::max() - now)) {
            return never();
        }
        return deadline(now + limit, limit);
    }

    bool is_never() const { return !when_; }
    bool expired() const { return when_ && clock::now() >= *when_; }

    // Never negative; milliseconds::max() for never.
    std::chrono::milliseconds remaining() const {
        if (!when_) return std::chrono::milliseconds::max();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*when_ - clock::now());
        return std::max(left, std::chrono::milliseconds(0));
    }

    // How long it was when it was set; milliseconds::max() for never.
    std::chrono::milliseconds length() const { return length_; }

    // As poll(2) takes it: -1 for never, rounded up so that a wait does not end too early.
    int poll_timeout() const {
        if (!when_) return -1;
        return static_cast<int>(std::min<long long>(remaining().count(), 1'000'000'000));
    }

    deadline earlier(const deadline& other) const {
        if (!when_) return other;
        if (!other.when_) return *this;
        return *other.when_ < *when_ ? other : *this;
    }

private:
    deadline(std::optional<clock::time_point> when, std::chrono::milliseconds length)
        : when_(when), length_(length) {}
    std::optional<clock::time_point> when_;
    std::chrono::milliseconds length_;
};

}  // namespace hob::util
