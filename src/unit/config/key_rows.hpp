#pragma once
// How the rows of the table of keys are written.

#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "unit/config/key_context.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/keys.hpp"

namespace hob::unit {

template <typename Value>
constexpr value_type type_for() {
    if constexpr (std::is_enum_v<Value>) return value_type::word;
    if constexpr (std::is_same_v<Value, bool>) return value_type::boolean;
    if constexpr (std::is_same_v<Value, int>) return value_type::integer;
    if constexpr (std::is_same_v<Value, std::uint64_t>) return value_type::size;
    if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) return value_type::duration;
    if constexpr (std::is_same_v<Value, std::optional<std::chrono::milliseconds>>)
        return value_type::duration;
    if constexpr (std::is_same_v<Value, std::vector<std::string>>) return value_type::strings;
    return value_type::text;
}

// A key that fills in a member of a spec; the member's type says what its values look like.
template <auto Member>
constexpr config_key member(unsigned tables, std::string_view name, std::string_view help) {
    using value = decltype(member_type(Member));
    return {
        .tables = tables, .name = name, .type = type_for<value>(), .help = help, .read = read_member<Member>};
}

// A key with a parser of its own.
constexpr config_key custom(unsigned tables, std::string_view name, value_type type, std::string_view help,
                            void (*read)(const key_context&)) {
    return {.tables = tables, .name = name, .type = type, .help = help, .read = read};
}

template <const auto& Words>
std::vector<std::string_view> words_in() {
    return {std::begin(Words), std::end(Words)};
}

template <const auto& Words>
constexpr config_key one_of(config_key key) {
    return key.with(&config_key::words, words_in<Words>);
}

// `watch` and its companions, which two kinds of unit have.
constexpr config_key watch_key(unsigned table, std::string_view help) {
    return custom(table, "watch", value_type::patterns, help, read_watch)
        .by_default("[]")
        .such_as("[\"src/**/*.c\"]")
        .also_called("files paths");
}
constexpr config_key ignore_key(unsigned table) {
    return custom(table, "ignore", value_type::patterns, "patterns of files not to watch", read_ignore)
        .by_default("[]")
        .such_as("[\"build/**\"]")
        .also_called("exclude");
}
constexpr config_key gitignore_key(unsigned table) {
    return member<&watch_spec::gitignore>(table, "gitignore", "also do not watch .git and what git ignores")
        .by_default("true");
}
constexpr config_key debounce_key(unsigned table, std::string_view help) {
    return member<&watch_spec::debounce>(table, "debounce", help).by_default("\"100ms\"");
}

inline constexpr std::int64_t memory_max_least = 1u << 20;  // bytes
inline constexpr std::int64_t pids_max_most = 4'194'304;    // the most that the kernel can have
inline constexpr std::int64_t cpu_weight_most = 10'000;     // likewise

// What the processes of a unit may use together.
constexpr config_key memory_max_key(unsigned tables) {
    return member<&resource_spec::memory_max>(
               tables, "memory_max", "the unit has failed when its processes use more memory than this")
        .without_it("no limit")
        .such_as("\"512MiB\"")
        .also_called("mem_limit memory memory_limit max_memory_restart")
        .at_least(memory_max_least);
}
constexpr config_key pids_max_key(unsigned tables) {
    return member<&resource_spec::pids_max>(tables, "pids_max",
                                            "how many processes and threads the unit may have at a time")
        .without_it("no limit")
        .such_as("100")
        .also_called("pids_limit tasks_max processes_max")
        .at_least(1)
        .at_most(pids_max_most);
}
constexpr config_key cpu_weight_key(unsigned tables) {
    return member<&resource_spec::cpu_weight>(tables, "cpu_weight",
                                              "its share of the CPU beside other units: 200 is twice 100")
        .by_default("100")
        .also_called("cpu_shares")
        .at_least(1)
        .at_most(cpu_weight_most);
}

inline constexpr std::int64_t keep_runs_max = 1'000'000;
inline constexpr std::int64_t keep_size_min = 64u << 10;  // bytes

// `keep` and the keys in its table, of services and of tasks.
constexpr config_key keep_itself(unsigned tables, std::string_view help) {
    return custom(tables, "keep", value_type::integer_or_table, help, read_keep)
        .by_default("200")
        .such_as("{ runs = 1000, age = \"30d\", size = \"100MiB\" }")
        .also_called("history retention")
        .at_least(1)
        .at_most(keep_runs_max);
}
constexpr config_key keep_runs(unsigned tables, std::string_view help) {
    return custom(tables, "keep.runs", value_type::integer, help, read_keep_runs)
        .without_it("no limit of the number, in a table")
        .such_as("1000")
        .at_least(1)
        .at_most(keep_runs_max);
}
constexpr config_key keep_age(unsigned tables, std::string_view help) {
    return member<&keep_spec::age>(tables, "keep.age", help).such_as("\"30d\"").at_least(1);
}
constexpr config_key keep_size(unsigned tables, std::string_view help) {
    return custom(tables, "keep.size", value_type::size, help, read_keep_size)
        .such_as("\"100MiB\"")
        .at_least(keep_size_min);
}

}  // namespace hob::unit
