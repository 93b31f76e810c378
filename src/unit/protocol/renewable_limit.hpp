#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "util/deadline.hpp"

namespace hob::unit {

// The limit of a request that is moved while the request waits: a worker that reports progress has not hung.
class renewable_limit {
public:
    // At each progress the limit becomes `length` from then, but at most `last`, which is `whole` after the
    // beginning of the call.
    renewable_limit(std::chrono::milliseconds length, std::chrono::milliseconds whole)
        : length_(length), whole_(whole), last_(util::deadline::in(std::max(length, whole))) {}

    void renew() {
        renewed_ = true;
        if (move_) move_(util::deadline::in(length_).earlier(last_));
    }
    bool renewed() const { return renewed_; }
    std::string expiry_text() const;

    // Connects it to a request that waits.
    class connection {
    public:
        connection(renewable_limit* limit, std::function<void(util::deadline)> move) : limit_(limit) {
            if (limit_) limit_->move_ = std::move(move);
        }
        ~connection() {
            if (limit_) limit_->move_ = nullptr;
        }
        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;

    private:
        renewable_limit* limit_;
    };

private:
    std::chrono::milliseconds length_, whole_;
    util::deadline last_;
    bool renewed_ = false;
    std::function<void(util::deadline)> move_;
};

}  // namespace hob::unit
