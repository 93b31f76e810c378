#include "unit/protocol/lsp/word.hpp"

#include <algorithm>
#include <utility>

#include "limits.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;

milliseconds since(lsp_word::clock::time_point when) {
    return std::chrono::duration_cast<milliseconds>(lsp_word::clock::now() - when);
}

}  // namespace

void lsp_word::ask(std::uint64_t change) {
    asked = change;
    asked_when = clock::now();
    settled = busy = reopened = reopened_for_silence = false;
    other_version.clear();
    told_error.clear();
}

void lsp_word::renew() { silent = passed = false; }

void lsp_word::hear(std::string_view list, bool names_version) {
    diagnostics = list;
    error = std::exchange(told_error, {});
    heard = asked;
    heard_when = clock::now();
    versioned = names_version;
    ++publishes;
    passed = true;
    settled = silent = busy = false;
    other_version.clear();
}

lsp_habits::worth lsp_habits::weigh(std::optional<std::int64_t> published, std::int64_t version, bool lent) {
    publishes = true;
    names_versions_ = names_versions_ || published;
    if (!versions_are_true_ && !lent) return worth::counts;
    if (published) {
        if (*published != version) return worth::other_version;
        follows_versions_ = follows_versions_ || version > 1;
        return worth::counts;
    }
    // A server that names versions leaves them out where it clears what it said about a closed document.
    return names_versions_ ? worth::nothing : worth::counts;
}

bool lsp_habits::distrust_versions() {
    if (follows_versions_) return false;
    versions_are_true_ = false;
    return true;
}

void lsp_habits::learn(const lsp_word& word, std::string_view list, std::uint64_t change) {
    if (word.asked == 0 || word.asked != change) return;  // it may be about what changed meanwhile
    if (word.silent) {
        longest_silence_ = std::max(longest_silence_, since(word.asked_when));
    } else if (word.settled && word.heard == word.asked && word.diagnostics != list) {
        const auto pause = since(word.heard_when);
        if (pause <= limits::lsp_quiet_max) longest_pause_ = std::max(longest_pause_, pause);
    }
}

milliseconds lsp_habits::quiet(const lsp_word& word) const {
    auto quiet = word.versioned && versions_are_true_ ? limits::lsp_quiet : limits::lsp_quiet_plain;
    if (word.publishes == 1 && word.diagnostics == "[]") quiet = std::max(quiet, limits::lsp_quiet_first);
    return std::min(std::max(quiet, longest_pause_ * 3 / 2), limits::lsp_quiet_max);
}

milliseconds lsp_habits::silence() const {
    return std::clamp(longest_silence_ * 3 / 2, limits::lsp_silence, limits::lsp_first_word);
}

}  // namespace hob::unit
