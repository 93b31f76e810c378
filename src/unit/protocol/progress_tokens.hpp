#pragma once
// A worker reports progress under a token that the caller chooses, and two callers may choose the same one.
// On the wire each call therefore has a token of ours.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace hob::unit {

class progress_tokens {
public:
    // A token of ours, valid during its lifetime.
    class token {
    public:
        // `callers_raw`: the token that the caller chose; empty: none.
        token(std::shared_ptr<progress_tokens> owner, std::string callers_raw);
        ~token() { owner_->callers_.erase(number_); }
        token(const token&) = delete;
        token& operator=(const token&) = delete;
        std::uint64_t number() const { return number_; }
        std::string raw() const;  // as JSON

    private:
        std::shared_ptr<progress_tokens> owner_;  // also held by the session
        std::uint64_t number_;
    };

    // The number of a token that is valid, and in `callers_raw` the token that its caller chose. 0: not
    // valid.
    std::uint64_t find(std::string_view token_raw, std::string& callers_raw) const;
    // The token has the form of ours; its call may be over.
    static bool is_ours(std::string_view token_raw);
    // The number of the last one: those that follow have higher ones.
    std::uint64_t last() const { return last_; }
    void continue_after(std::uint64_t last) { last_ = last; }

private:
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, std::string> callers_;  // empty: the caller named none
};

}  // namespace hob::unit
