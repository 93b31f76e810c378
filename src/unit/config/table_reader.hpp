#pragma once
// Typed access to one table of hob.toml. Every fault is noted with its position, and the default stays.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "unit/config/keys.hpp"
#include "unit/config/problems.hpp"
#include "unit/config/toml_tree.hpp"

namespace hob::unit {

class table_reader {
public:
    // `table` must be of kind table and outlive the reader. `title` is for messages: "[worker.x]".
    table_reader(const tree_value& table, key_scope scope, std::string title, problems& faults);

    key_scope scope() const { return scope_; }
    const tree_value& table() const { return table_; }
    problems& faults() const { return faults_; }
    const std::string& title() const { return title_; }
    // "[service.db]" and "ready" -> "[service.db.ready]"
    std::string inner_title(std::string_view leaf) const;

    // The value of a key, of whatever type; nullptr: it is absent.
    const tree_value* value(std::string_view leaf) const;

    // Notes "'<leaf>' in [title] <reason>" at the position.
    void reject(const config_key& key, position where, std::string_view reason, std::string_view hint = {});
    void reject(std::string_view leaf, position where, std::string_view reason, std::string_view hint = {});

    // Notes a warning that the key has no effect without another, if it is there.
    void warn_without_effect(std::string_view leaf, std::string_view missing);

    // Whether the value is of this kind; notes it when it is not.
    bool is(const config_key& key, const tree_value& value, value_kind kind);

    // Each sets `out` and returns true when the value is right, within the bounds of the key.
    bool read(const config_key& key, const tree_value& value, std::string& out);  // not empty, without NUL
    bool read(const config_key& key, const tree_value& value, bool& out);
    bool read(const config_key& key, const tree_value& value, int& out);
    bool read(const config_key& key, const tree_value& value, std::uint64_t& out);  // a size
    bool read(const config_key& key, const tree_value& value, std::chrono::milliseconds& out);
    bool read(const config_key& key, const tree_value& value, std::optional<std::chrono::milliseconds>& out);
    bool read(const config_key& key, const tree_value& value, std::vector<std::string>& out);  // none empty
    // The enumerators of Enum stand in the order of the key's words.
    template <typename Enum>
    requires std::is_enum_v<Enum>
    bool read(const config_key& key, const tree_value& value, Enum& out) {
        std::size_t index = 0;
        if (!read_word(key, value, index)) return false;
        out = static_cast<Enum>(index);
        return true;
    }
    // `index`: which of the key's words it is.
    bool read_word(const config_key& key, const tree_value& value, std::size_t& index);

    // Notes every key that the table of keys does not have here. Returns for each the one that was probably
    // meant, or "".
    std::vector<std::string_view> reject_unknown_keys();

private:
    const tree_value& table_;
    key_scope scope_;
    std::string title_;
    problems& faults_;
};

// The text has no NUL byte, which no argument, path or variable can hold.
bool is_c_string(std::string_view text);

}  // namespace hob::unit
