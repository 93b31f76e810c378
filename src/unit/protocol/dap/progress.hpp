#pragma once
// The work that a debug adapter reports, from progressStart to progressEnd.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

class dap_progress {
public:
    // An event of the adapter. False: it changes nothing.
    bool on_event(std::string_view name, std::string_view params);
    // The newest work, for people; empty: there is none.
    std::string text() const;

    struct work {
        std::string id;  // raw
        std::string title;
        std::string message;
        std::optional<std::int64_t> percent;

        void update(std::string_view params);
    };
    const std::vector<work>& all() const { return all_; }
    void restore(std::vector<work> all) { all_ = std::move(all); }

private:
    std::vector<work> all_;  // oldest first
};

}  // namespace hob::unit
