#include "unit/config/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace hob::unit {
namespace {

using index_of_name = std::map<std::string_view, std::size_t>;

index_of_name check_names(const std::vector<unit_draft>& drafts, problems& faults) {
    index_of_name index;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const auto& spec = drafts[i].spec;
        const auto [other, fresh] = index.emplace(spec.name, i);
        if (fresh) continue;
        const auto& first = drafts[other->second];
        faults.error(drafts[i].where,
                     fmt::format("the name '{}' is taken by the {} on {}", spec.name,
                                 name_of(first.spec.kind), faults.line_of(first.where, drafts[i].where)),
                     "names are unique over workers, services and tasks");
    }
    return index;
}

void check_references(const unit_draft& draft, const index_of_name& index,
                      const std::vector<std::string_view>& names, problems& faults) {
    const auto& [name, after] = std::tie(draft.spec.name, draft.spec.after);
    for (std::size_t i = 0; i < after.size(); ++i) {
        const position where = draft.after[i];
        if (after[i] == name) {
            faults.error(where, fmt::format("'{}' cannot be started after itself", name));
        } else if (!index.contains(after[i])) {
            faults.error(where, fmt::format("unknown unit '{}' in 'after' of '{}'", after[i], name),
                         suggestion(after[i], names));
        } else if (std::find(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(i), after[i]) !=
                   after.begin() + static_cast<std::ptrdiff_t>(i)) {
            faults.error(where, fmt::format("'{}' stands twice in 'after' of '{}'", after[i], name));
        }
    }
}

// Depth first. Not recursive, because a chain of dependencies may be as long as the file.
class cycle_finder {
public:
    cycle_finder(const std::vector<unit_draft>& drafts, const index_of_name& index, problems& faults)
        : drafts_(drafts), index_(index), faults_(faults), marks_(drafts.size(), mark::fresh) {}

    void search(std::size_t start) {
        if (marks_[start] != mark::fresh) return;
        enter(start);
        while (!path_.empty()) {
            auto& [unit, next] = path_.back();
            if (next == drafts_[unit].spec.after.size()) {
                marks_[unit] = mark::done;
                path_.pop_back();
                continue;
            }
            visit(unit, next++);
        }
    }

private:
    enum class mark : std::uint8_t { fresh, on_path, done };
    struct step {
        std::size_t unit;
        std::size_t next;  // of its `after`
    };

    void enter(std::size_t unit) {
        marks_[unit] = mark::on_path;
        path_.push_back({unit, 0});
    }

    void visit(std::size_t unit, std::size_t entry) {
        const auto target = index_.find(drafts_[unit].spec.after[entry]);
        if (target == index_.end() || target->second == unit) return;  // noted already
        if (marks_[target->second] == mark::fresh) return enter(target->second);
        if (marks_[target->second] == mark::on_path) report(target->second, drafts_[unit].after[entry]);
    }

    void report(std::size_t first, position where) {
        const auto begin =
            std::find_if(path_.begin(), path_.end(), [&](const step& each) { return each.unit == first; });
        std::string text;
        for (auto each = begin; each != path_.end(); ++each)
            text += drafts_[each->unit].spec.name + " -> ";
        faults_.error(where, fmt::format("units wait for each other: {}{}", text, drafts_[first].spec.name),
                      "take one of them out of the other's 'after'");
    }

    const std::vector<unit_draft>& drafts_;
    const index_of_name& index_;
    problems& faults_;
    std::vector<mark> marks_;
    std::vector<step> path_;
};

}  // namespace

void check_graph(const std::vector<unit_draft>& drafts, problems& faults) {
    const index_of_name index = check_names(drafts, faults);
    std::vector<std::string_view> names;
    for (const auto& draft : drafts)
        names.push_back(draft.spec.name);
    for (const auto& draft : drafts)
        check_references(draft, index, names, faults);
    cycle_finder finder(drafts, index, faults);
    for (std::size_t i = 0; i < drafts.size(); ++i)
        finder.search(i);
}

}  // namespace hob::unit
