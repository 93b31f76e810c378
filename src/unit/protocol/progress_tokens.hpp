#pragma once
// Progress is told by a token that the caller chose, and two callers may choose the same: on the wire each
// call has one of ours.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace hob::unit {

class progress_tokens {
public:
    // A token of ours, for as long as this lives.
    class token {
    public:
        token(std::shared_ptr<progress_tokens> in, std::string callers_raw);
        ~token() { in_->callers_.erase(number_); }
        token(const token&) = delete;
        token& operator=(const token&) = delete;
        std::uint64_t number() const { return number_; }
        std::string raw() const;  // as JSON

    private:
        std::shared_ptr<progress_tokens> in_;  // also the script's
        std::uint64_t number_;
    };

    // Whose token that is: its number, 0 for nobody's. `callers_raw`: what that caller knows it by.
    std::uint64_t owner(std::string_view token_raw, std::string& callers_raw) const;
    // Whether it has the form of ours, of a call that may be over.
    static bool is_ours(std::string_view token_raw);

private:
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, std::string> callers_;  // empty: the caller named none
};

}  // namespace hob::unit
