#pragma once
// The work that a language server reports by $/progress, from its begin to its end.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hob::unit {

class lsp_progress {
public:
    // `token` is raw. Ignores reports about work that has not begun or has ended, and about more than
    // limits::progress_max.
    void on_progress(std::string_view token, std::string_view value);
    bool empty() const { return all_.empty(); }
    // True: there is work that no call has waited for in vain. Such a wait is paid once for each piece of
    // work, which may never end.
    bool is_awaited() const;
    void stop_awaiting();
    // One report, for people; empty: there is none.
    std::string text() const;

    struct work {
        std::string title{};
        std::optional<std::int64_t> percent{};
        bool awaited = true;
    };
    using works = std::map<std::string, work, std::less<>>;  // by token
    const works& all() const { return all_; }
    void restore(works all) { all_ = std::move(all); }

private:
    works all_;
};

}  // namespace hob::unit
