#pragma once
// What a language server has said about one document since the last change of anything: of a text, of the
// disk, of an editor. Changes are counted, and `asked` and `heard` are such counts.
//
//   asked < change    The server need not look at the document again by itself: it has to be asked.
//   heard < asked     It was made to look, and has not published yet.
//   heard == asked    It has published. More may follow, until it rests: then `settled`.
//   silent            It was given its time for this text, and said nothing. Only a publish or another text
//   ends
//                     that; no call waits for it again.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

struct lsp_word {
    using clock = std::chrono::steady_clock;

    std::string diagnostics;  // the array that was published last; empty: none
    std::string told_error;   // about this document, since it was asked or has published; empty: none
    std::string error;        // that it told before it published `diagnostics`; empty: none
    std::uint64_t asked = 0;  // the change that the server was last made to look for; 0: it was not
    std::uint64_t heard = 0;  // the change that it has published for
    clock::time_point asked_when{};
    clock::time_point heard_when{};
    bool versioned = false;  // the last publish named the version of the text
    int publishes = 0;       // since the document was opened
    bool settled = false;
    bool silent = false;
    bool busy = false;                  // it was given the time to come to rest, and did not
    bool passed = false;                // calls about other documents do not wait for this one any more
    bool reopened = false;              // it was asked by closing and opening the document
    bool reopened_for_silence = false;  // since it said nothing otherwise
    std::string other_version;  // what was published for another version since it was asked; empty: nothing

    // The server was made to look, for `change`.
    void ask(std::uint64_t change);
    // The server has another text: its time begins anew.
    void renew();
    void hear(std::string_view list, bool names_version);
};

// What one server does with versions and pauses; learnt from what it publishes.
class lsp_habits {
public:
    // What a publish is worth to the document whose text has `version`.
    enum class worth { counts, other_version, nothing };
    worth weigh(std::optional<std::int64_t> published, std::int64_t version, bool lent);
    // It publishes, but not for the version that it was given. False: it was seen to follow versions before.
    bool distrust_versions();
    // Call it before hear() of the word. `change`: the last change of anything.
    void learn(const lsp_word& word, std::string_view list, std::uint64_t change);
    // How long it has to rest before it has said everything, or nothing at all.
    std::chrono::milliseconds quiet(const lsp_word& word) const;
    std::chrono::milliseconds silence() const;

    std::string state() const;                 // for restore()
    bool restore(const std::string& state);  // false: it is no such state

    bool publishes = false;        // without being asked
    bool needs_reopening = false;  // it does not repeat what it said about an open document

private:
    bool names_versions_ = false;
    bool versions_are_true_ = true;
    bool follows_versions_ = false;                 // it has named one that is not the first
    std::chrono::milliseconds longest_pause_{0};    // between two publishes about one text
    std::chrono::milliseconds longest_silence_{0};  // before one that was late
};

}  // namespace hob::unit
