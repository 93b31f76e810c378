#include "unit/config/table_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "util/duration.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

// What other tools call it.
struct synonym {
    std::string_view word;
    std::string_view key;
};
constexpr synonym synonyms[] = {
    {"args", "run"},        {"autorestart", "restart"},   {"cmd", "run"},           {"command", "run"},
    {"depends", "after"},   {"depends_on", "after"},      {"dir", "cwd"},           {"directory", "cwd"},
    {"dotenv", "env_file"}, {"environment", "env"},       {"envfile", "env_file"},  {"exclude", "ignore"},
    {"exec", "run"},        {"files", "watch"},           {"healthcheck", "ready"}, {"interval", "every"},
    {"needs", "after"},     {"paths", "watch"},           {"program", "run"},       {"readiness", "ready"},
    {"requires", "after"},  {"retries", "retry"},         {"schedule", "cron"},     {"script", "run"},
    {"workdir", "cwd"},     {"working_directory", "cwd"},
};

std::string at(const std::string& path, position where) {
    return where.line == 0 ? path : fmt::format("{}:{}:{}", path, where.line, where.column);
}

// Fit for one line of a message: control characters escaped, the middle of a long text left out.
std::string one_line(std::string_view text) {
    constexpr std::size_t longest = 400;
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    if (result.size() <= longest) return result;
    std::size_t head = longest / 2;
    std::size_t tail = result.size() - longest / 2;
    const auto inside_character = [&](std::size_t i) {
        return (static_cast<unsigned char>(result[i]) & 0xC0) == 0x80;
    };
    while (inside_character(head))
        --head;
    while (tail < result.size() && inside_character(tail))
        ++tail;
    return result.substr(0, head) + "..." + result.substr(tail);
}

std::string meant(std::string_view word) { return fmt::format("did you mean '{}'?", word); }

// The asked-for key that was probably meant; empty when there is none.
std::string_view key_meant_by(std::string_view key, std::span<const std::string_view> asked) {
    if (const auto near = util::nearest(key, asked)) return *near;
    for (const auto& [word, meaning] : synonyms) {
        if (word == key && std::find(asked.begin(), asked.end(), meaning) != asked.end()) return meaning;
    }
    return {};
}

}  // namespace

bool is_c_string(std::string_view text) { return text.find('\0') == std::string_view::npos; }

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    const auto near = util::nearest(word, candidates);
    return near ? meant(*near) : std::string();
}

void problems::error(position where, std::string_view message, std::string_view hint) {
    errors_.push_back({where, one_line(message), one_line(hint)});
}

void problems::warning(position where, std::string_view message) {
    warnings_.push_back({where, one_line(message), {}});
}

void problems::throw_first(const std::string& path) const {
    const auto first = std::min_element(errors_.begin(), errors_.end(),
                                        [](const note& a, const note& b) { return a.where < b.where; });
    if (first == errors_.end()) return;
    throw failure(error_kind::config,
                  fmt::format("cannot use '{}': {}", at(path, first->where), first->message), first->hint);
}

std::vector<std::string> problems::warnings(const std::string& path) const {
    std::vector<note> sorted = warnings_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const note& a, const note& b) { return a.where < b.where; });
    std::vector<std::string> lines;
    for (const auto& [where, message, hint] : sorted)
        lines.push_back(at(path, where) + ": " + message);
    return lines;
}

table_reader::table_reader(const tree_value& table, std::string title, problems& notes)
    : table_(table), title_(std::move(title)), notes_(notes) {}

const tree_member* table_reader::take(std::string_view key) {
    asked_.push_back(key);
    for (const auto& member : table_.members) {
        if (member.key == key) return &member;
    }
    return nullptr;
}

const tree_value* table_reader::take(std::string_view key, value_kind kind, std::string_view example) {
    const tree_member* member = take(key);
    if (member == nullptr || member->value.kind == kind) return member == nullptr ? nullptr : &member->value;
    reject(key, member->value.where,
           fmt::format("must be {}, such as {}, not {}", described(kind), example,
                       described(member->value.kind)));
    return nullptr;
}

void table_reader::reject(std::string_view key, position where, const std::string& reason,
                          std::string_view hint) {
    notes_.error(where, fmt::format("'{}' in {} {}", key, title_, reason), hint);
}

const tree_value* table_reader::text(std::string_view key, std::string& out, std::string_view example) {
    const tree_value* value = take(key, value_kind::string, example);
    if (value == nullptr) return nullptr;
    if (value->text.empty()) {
        reject(key, value->where, "is empty");
    } else if (!is_c_string(value->text)) {
        reject(key, value->where, "has a NUL byte in it");
    } else {
        out = value->text;
        return value;
    }
    return nullptr;
}

const tree_value* table_reader::boolean(std::string_view key, bool& out) {
    const tree_member* member = take(key);
    if (member == nullptr) return nullptr;
    const tree_value& value = member->value;
    if (value.kind != value_kind::boolean) {
        const bool quoted = value.text == "true" || value.text == "false";
        reject(key, value.where, fmt::format("must be true or false, not {}", described(value.kind)),
               quoted ? fmt::format("without quotes: {} = {}", key, value.text) : std::string());
        return nullptr;
    }
    out = value.boolean;
    return &value;
}

const tree_value* table_reader::integer(std::string_view key, int& out, int lowest, int highest) {
    const tree_value* value = take(key, value_kind::integer, std::to_string(out));
    if (value == nullptr) return nullptr;
    if (value->integer < lowest || value->integer > highest) {
        reject(key, value->where,
               fmt::format("must be from {} to {}, not {}", lowest, highest, value->integer));
        return nullptr;
    }
    out = static_cast<int>(value->integer);
    return value;
}

const tree_value* table_reader::duration(std::string_view key, std::chrono::milliseconds& out,
                                         std::chrono::milliseconds shortest) {
    std::optional<std::chrono::milliseconds> found;
    const tree_value* value = duration(key, found, shortest);
    if (found) out = *found;
    return value;
}

const tree_value* table_reader::duration(std::string_view key, std::optional<std::chrono::milliseconds>& out,
                                         std::chrono::milliseconds shortest) {
    const tree_member* member = take(key);
    if (member == nullptr) return nullptr;
    const tree_value& value = member->value;
    if (value.kind != value_kind::string) {
        const bool number = value.kind == value_kind::integer && value.integer > 0;
        reject(key, value.where,
               fmt::format("must be a duration, such as \"10s\", not {}", described(value.kind)),
               number ? fmt::format("did you mean \"{}s\"?", value.integer) : std::string());
        return nullptr;
    }
    const auto parsed = util::parse_duration(value.text);
    if (!parsed) {
        reject(key, value.where, fmt::format("is not a duration: '{}'", value.text),
               "a duration is a number and its unit: \"250ms\", \"5s\", \"10m\", \"2h\", \"1d\", \"1m30s\"");
        return nullptr;
    }
    if (*parsed < shortest) {
        reject(key, value.where,
               fmt::format("must be at least {}, not '{}'", util::format_duration(shortest), value.text));
        return nullptr;
    }
    out = *parsed;
    return &value;
}

const tree_value* table_reader::size(std::string_view key, std::uint64_t& out, std::uint64_t smallest) {
    const tree_member* member = take(key);
    if (member == nullptr) return nullptr;
    const tree_value& value = member->value;
    if (value.kind != value_kind::string) {
        reject(key, value.where,
               fmt::format("must be a size, such as \"10MiB\", not {}", described(value.kind)));
        return nullptr;
    }
    const auto parsed = util::parse_size(value.text);
    if (!parsed) {
        reject(key, value.where, fmt::format("is not a size: '{}'", value.text),
               "a size is a whole number and its unit: \"64KiB\", \"10MiB\", \"1GiB\", \"512B\", \"10MB\"");
        return nullptr;
    }
    if (*parsed < smallest) {
        reject(key, value.where,
               fmt::format("must be at least {}, not '{}'", util::format_size(smallest), value.text));
        return nullptr;
    }
    out = *parsed;
    return &value;
}

const tree_value* table_reader::strings(std::string_view key, std::vector<std::string>& out,
                                        std::string_view example) {
    const tree_value* value = take(key, value_kind::array, example);
    if (value == nullptr) return nullptr;
    std::vector<std::string> found;
    for (const auto& item : value->items) {
        if (item.kind != value_kind::string) {
            reject(key, item.where, fmt::format("must hold strings, not {}", described(item.kind)));
        } else if (item.text.empty()) {
            reject(key, item.where, "has an empty string in it");
        } else if (!is_c_string(item.text)) {
            reject(key, item.where, "has a NUL byte in it");
        } else {
            found.push_back(item.text);
        }
    }
    if (found.size() != value->items.size()) return nullptr;
    out = std::move(found);
    return value;
}

const tree_value* table_reader::word(std::string_view key, std::span<const std::string_view> words,
                                     std::size_t& index) {
    const tree_value* value = take(key, value_kind::string, fmt::format("\"{}\"", words.front()));
    if (value == nullptr) return nullptr;
    const auto found = std::find(words.begin(), words.end(), value->text);
    if (found == words.end()) {
        reject(key, value->where,
               fmt::format("must be one of {}, not '{}'", fmt::join(words.begin(), words.end(), " "),
                           value->text),
               suggestion(value->text, words));
        return nullptr;
    }
    index = static_cast<std::size_t>(found - words.begin());
    return value;
}

std::vector<std::string_view> table_reader::finish(std::string (*elsewhere)(std::string_view key)) {
    std::vector<std::string_view> meanings;
    for (const auto& member : table_.members) {
        if (std::find(asked_.begin(), asked_.end(), member.key) != asked_.end()) continue;
        const std::string_view near = key_meant_by(member.key, asked_);
        std::string hint = elsewhere == nullptr ? std::string() : elsewhere(member.key);
        if (hint.empty() && !near.empty()) hint = meant(near);
        notes_.error(member.where, fmt::format("unknown key '{}' in {}", member.key, title_), hint);
        meanings.push_back(near);
    }
    return meanings;
}

}  // namespace hob::unit
