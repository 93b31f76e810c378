#pragma once
// Typed access to one table of hob.toml. Every fault is noted with its position, reading goes on with the
// default, and the first fault by position is what the user is told.

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

class problems {
public:
    void error(position where, std::string_view message, std::string_view hint = {});
    void warning(position where, std::string_view message);

    bool any() const { return !errors_.empty(); }
    // Throws failure(config) for the first error by position, if there is one: `cannot use 'PATH:L:C':
    // <reason>`.
    void throw_first(const std::string& path) const;
    // "PATH:L:C: text" each, by position.
    std::vector<std::string> warnings(const std::string& path) const;

private:
    struct note {
        position where;
        std::string message;
        std::string hint;
    };
    std::vector<note> errors_;
    std::vector<note> warnings_;
};

// `did you mean 'x'?`, or empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

template <typename Value>
struct choice {
    std::string_view word;
    Value value;
};

// Which keys a table may have is what was asked for: finish() reports all others.
class table_reader {
public:
    // `table` must be of kind table and outlive the reader. `title` is for messages: "[worker.x]".
    table_reader(const tree_value& table, std::string title, problems& notes);

    const std::string& title() const { return title_; }
    problems& notes() const { return notes_; }

    // The key's member, of whatever type; nullptr when absent.
    const tree_member* take(std::string_view key);
    // Of this kind, else an error is noted and nullptr returned. `example` is how it should look.
    const tree_value* take(std::string_view key, value_kind kind, std::string_view example);

    // Each of these leaves `out` as it is when the key is absent or wrong, and returns the value when it is
    // right.
    const tree_value* text(std::string_view key, std::string& out, std::string_view example);
    const tree_value* boolean(std::string_view key, bool& out);
    const tree_value* integer(std::string_view key, int& out, int lowest, int highest);
    const tree_value* duration(std::string_view key, std::chrono::milliseconds& out,
                               std::chrono::milliseconds shortest = std::chrono::milliseconds(0));
    const tree_value* duration(std::string_view key, std::optional<std::chrono::milliseconds>& out,
                               std::chrono::milliseconds shortest = std::chrono::milliseconds(1));
    const tree_value* size(std::string_view key, std::uint64_t& out, std::uint64_t smallest);
    // The array itself; its items are strings without NUL, not empty.
    const tree_value* strings(std::string_view key, std::vector<std::string>& out, std::string_view example);

    template <typename Value>
    const tree_value* one_of(std::string_view key, Value& out, std::span<const choice<Value>> choices) {
        std::vector<std::string_view> words;
        for (const auto& each : choices)
            words.push_back(each.word);
        std::size_t index = 0;
        const tree_value* value = word(key, words, index);
        if (value != nullptr) out = choices[index].value;
        return value;
    }
    template <typename Value, std::size_t N>
    const tree_value* one_of(std::string_view key, Value& out, const choice<Value> (&choices)[N]) {
        return one_of(key, out, std::span<const choice<Value>>(choices));
    }

    // Notes every key that was not asked for. `elsewhere` says, as a hint, where a key that is known but not
    // here belongs, or nothing. Returns for each unknown key the one that was probably meant, or "".
    std::vector<std::string_view> finish(std::string (*elsewhere)(std::string_view key) = nullptr);

    // Notes "'key' in [title] <reason>" at the value.
    void reject(std::string_view key, position where, const std::string& reason, std::string_view hint = {});

private:
    const tree_value* word(std::string_view key, std::span<const std::string_view> words, std::size_t& index);

    const tree_value& table_;
    std::string title_;
    problems& notes_;
    std::vector<std::string_view> asked_;  // literals
};

// The text has no NUL byte, which no argument, path or variable can hold.
bool is_c_string(std::string_view text);

}  // namespace hob::unit
