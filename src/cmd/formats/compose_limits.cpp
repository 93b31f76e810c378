// What a container of compose.yaml may use.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "cmd/formats/compose_values.hpp"
#include "cmd/formats/json_file.hpp"
#include "unit/config/key_rows.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// "512m", "1.5g", "64kb", "1024b", or a number of bytes. nullopt: another form.
std::optional<std::int64_t> bytes_of(const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    std::string unit(end, text.data() + text.size());
    for (char& c : unit)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (unit.ends_with('b')) unit.pop_back();
    constexpr std::string_view units = "kmgt";
    const auto at = unit.empty() ? std::string_view::npos : units.find(unit);
    if (!unit.empty() && (unit.size() != 1 || at == std::string_view::npos)) return std::nullopt;
    for (std::size_t i = 0; !unit.empty() && i <= at; ++i)
        number *= 1024;
    if (!(number >= 1 && number < 1e15)) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

std::string size_text(std::int64_t bytes) {
    constexpr std::string_view names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; unit + 1 < std::size(names) && bytes % 1024 == 0; ++unit)
        bytes /= 1024;
    return fmt::format("\"{}{}\"", bytes, names[unit]);
}

std::optional<std::int64_t> count_of(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
    return number;
}

const json::object* limits_of(const json::object& entry) {
    const json::object* deploy = object_of(entry, "deploy");
    const json::object* resources = deploy != nullptr ? object_of(*deploy, "resources") : nullptr;
    return resources != nullptr ? object_of(*resources, "limits") : nullptr;
}

// Of the key of the service, or else of that of its deploy.resources.limits. nullopt: it has no such limit,
// or one that is named as not carried over.
std::optional<std::int64_t> limit_in(const json::object& entry, std::string_view key,
                                     std::string_view deployed,
                                     std::optional<std::int64_t> (*read)(const std::string&),
                                     imported_unit& unit) {
    const json::value* value = entry.if_contains(key);
    const json::object* limits = limits_of(entry);
    if (value == nullptr && limits != nullptr) value = limits->if_contains(deployed);
    const std::string text = value != nullptr ? scalar_of(*value).value_or("?") : std::string();
    if (text.empty() || text == "0" || text.starts_with('-')) return std::nullopt;
    const auto found = read(text);
    if (!found) unit.remarks.push_back(fmt::format("without {} '{}'", key, text));
    return found;
}

// Docker's default of 1024 is the 100 of a cgroup.
std::int64_t weight_of_shares(std::int64_t shares) {
    return std::clamp<std::int64_t>(shares * 100 / 1024, 1, unit::cpu_weight_most);
}

}  // namespace

void set_compose_limits(const json::object& entry, imported_unit& unit) {
    if (const auto bytes = limit_in(entry, "mem_limit", "memory", bytes_of, unit))
        unit.keys.emplace_back("memory_max", size_text(std::max(*bytes, unit::memory_max_least)));
    if (const auto count = limit_in(entry, "pids_limit", "pids", count_of, unit))
        unit.keys.emplace_back("pids_max", std::to_string(std::min(*count, unit::pids_max_most)));
    if (const auto shares = limit_in(entry, "cpu_shares", "", count_of, unit))
        unit.keys.emplace_back("cpu_weight",
                               std::to_string(weight_of_shares(std::min<std::int64_t>(*shares, 1 << 20))));
}

bool deploy_is_kept(const json::object& entry) {
    const json::object* deploy = object_of(entry, "deploy");
    if (deploy == nullptr) return false;
    const auto only = [](const json::object& object, std::initializer_list<std::string_view> keys) {
        return std::all_of(object.begin(), object.end(), [&](const auto& member) {
            return std::find(keys.begin(), keys.end(), std::string_view(member.key())) != keys.end();
        });
    };
    if (!only(*deploy, {"restart_policy", "resources"})) return false;
    if (!deploy->contains("resources")) return true;
    const json::object* resources = object_of(*deploy, "resources");
    const json::object* limits = limits_of(entry);
    return resources != nullptr && limits != nullptr && only(*resources, {"limits"}) &&
           only(*limits, {"memory", "pids"});
}

}  // namespace hob::cmd
