#include "util/suggest.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace hob::util {
namespace {

// No name is longer, and the cost grows with the product of the lengths.
constexpr std::size_t longest_word = 64;

std::string folded(std::string_view word) {
    std::string result(word);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return result;
}

// The number of edits between two words (optimal string alignment): a swap of neighbours is one edit.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::optional<std::string_view> only_completion(std::string_view word,
                                                std::span<const std::string_view> candidates) {
    std::optional<std::string_view> found;
    if (word.size() < 3) return found;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest_word || !folded(candidate).starts_with(word)) continue;
        if (found && *found != candidate) return std::nullopt;
        found = candidate;
    }
    return found;
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > longest_word) return std::nullopt;
    const std::string folded_word = folded(word);
    if (const auto completed = only_completion(folded_word, candidates)) return completed;
    std::optional<std::string_view> best;
    std::size_t best_distance = 0;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest_word) continue;
        const std::size_t allowed = std::min<std::size_t>(std::max(word.size(), candidate.size()) / 3, 3);
        const std::size_t edits = distance(folded_word, folded(candidate));
        if (edits > allowed || (best && edits >= best_distance)) continue;
        best = candidate;
        best_distance = edits;
    }
    return best;
}

}  // namespace hob::util
