#include "unit/protocol/mcp/schema_check.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <cmath>

#include "limits.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

namespace json = boost::json;

using mismatch = std::optional<std::string>;

constexpr int refs_max = 64;  // bounds a $ref that leads to itself

std::optional<json::value> parsed(std::string_view text) {
    json::parse_options options;
    options.max_depth = static_cast<std::size_t>(limits::json_depth_max);
    boost::system::error_code error;
    json::value value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error) return std::nullopt;
    return value;
}

std::string_view type_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "boolean";
        case json::kind::int64:
        case json::kind::uint64:
            return "integer";
        case json::kind::double_:
            return "number";
        case json::kind::string:
            return "string";
        case json::kind::array:
            return "array";
        case json::kind::object:
            break;
    }
    return "object";
}

std::string with_article(std::string_view type) {
    if (type == "null") return "null";
    const bool vowel =
        !type.empty() && std::string_view("aeiou").find(type.front()) != std::string_view::npos;
    return fmt::format("{} {}", vowel ? "an" : "a", type);
}

bool is_of_type(const json::value& value, std::string_view type) {
    const std::string_view actual = type_of(value);
    if (actual == type) return true;
    if (type == "number") return actual == "integer";
    if (type == "integer" && actual == "number") return std::trunc(value.as_double()) == value.as_double();
    return false;
}

std::optional<double> number_of(const json::value& value) {
    if (!value.is_number()) return std::nullopt;
    return value.to_number<double>();
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text)
        count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    return count;
}

class checker {
public:
    explicit checker(const json::value& root) : root_(root) {}

    // References can branch, so that a small schema asks for any number of checks.
    bool exhausted() const { return steps_ <= 0; }

    mismatch check(const json::value& schema, const json::value& value, const std::string& name, int refs) {
        if (schema.is_bool() && !schema.as_bool()) return fmt::format("{} is not allowed", name);
        const json::object* rules = schema.if_object();
        if (!rules || --steps_ <= 0) return std::nullopt;
        if (const json::value* ref = rules->if_contains("$ref"); ref && ref->is_string()) {
            const json::value* target = refs < refs_max ? referred(ref->as_string()) : nullptr;
            if (target) {
                if (auto wrong = check(*target, value, name, refs + 1)) return wrong;
            }
        }
        if (auto wrong = type(*rules, value, name)) return wrong;
        if (auto wrong = choice(*rules, value, name)) return wrong;
        if (auto wrong = bounds(*rules, value, name)) return wrong;
        if (auto wrong = combined(*rules, value, name, refs)) return wrong;
        if (const auto* object = value.if_object()) return members(*rules, *object, name, refs);
        if (const auto* array = value.if_array()) return items(*rules, *array, name, refs);
        return std::nullopt;
    }

private:
    // As JSON. A long text counts as many steps.
    std::string written(const json::value& value) {
        std::string text = json::serialize(value);
        steps_ -= static_cast<int>(text.size() / 64) + 1;
        return text;
    }

    const json::value* referred(std::string_view ref) const {
        if (!ref.starts_with('#')) return nullptr;
        ref.remove_prefix(1);
        boost::system::error_code error;
        return root_.find_pointer({ref.data(), ref.size()}, error);
    }

    mismatch type(const json::object& rules, const json::value& value, const std::string& name) {
        const json::value* rule = rules.if_contains("type");
        if (!rule) return std::nullopt;
        if (rule->is_string()) {
            const std::string_view type(rule->as_string());
            if (is_of_type(value, type)) return std::nullopt;
            return fmt::format("{} must be {}, not {}", name, with_article(type),
                               with_article(type_of(value)));
        }
        const json::array* types = rule->if_array();
        if (!types) return std::nullopt;
        std::string all;
        for (const auto& type : *types) {
            if (--steps_ <= 0) return std::nullopt;
            if (!type.is_string() || is_of_type(value, type.as_string())) return std::nullopt;
            all += (all.empty() ? "" : " or ") + with_article(type.as_string());
        }
        return fmt::format("{} must be {}, not {}", name, all, with_article(type_of(value)));
    }

    mismatch choice(const json::object& rules, const json::value& value, const std::string& name) {
        if (const json::value* only = rules.if_contains("const"); only && *only != value)
            return fmt::format("{} must be {}", name, written(*only));
        const json::value* listed = rules.if_contains("enum");
        const json::array* choices = listed ? listed->if_array() : nullptr;
        if (!choices) return std::nullopt;
        std::string all;
        for (const auto& candidate : *choices) {
            if (candidate == value) return std::nullopt;
            all += (all.empty() ? "" : ", ") + written(candidate);
            if (exhausted()) return std::nullopt;
        }
        return fmt::format("{} must be one of {}", name, all);
    }

    struct bound {
        std::string_view rule;
        std::string_view text;
        bool (*is_broken)(double number, double limit);
    };

    static mismatch bounds_of(const json::object& rules, double number, const std::string& name,
                              std::initializer_list<bound> all) {
        for (const auto& each : all) {
            const json::value* rule = rules.if_contains({each.rule.data(), each.rule.size()});
            const auto limit = rule ? number_of(*rule) : std::nullopt;
            if (limit && each.is_broken(number, *limit))
                return fmt::format("{} {} {}", name, each.text, *limit);
        }
        return std::nullopt;
    }

    static bool below(double number, double limit) { return number < limit; }
    static bool above(double number, double limit) { return number > limit; }
    static bool below_or_at(double number, double limit) { return number <= limit; }
    static bool above_or_at(double number, double limit) { return number >= limit; }

    static mismatch bounds(const json::object& rules, const json::value& value, const std::string& name) {
        if (const auto number = number_of(value)) {
            return bounds_of(rules, *number, name,
                             {{"minimum", "must be at least", below},
                              {"maximum", "must be at most", above},
                              {"exclusiveMinimum", "must be more than", below_or_at},
                              {"exclusiveMaximum", "must be less than", above_or_at}});
        }
        if (const auto* text = value.if_string()) {
            return bounds_of(rules, static_cast<double>(characters(*text)), name,
                             {{"minLength", "must have a length of at least", below},
                              {"maxLength", "must have a length of at most", above}});
        }
        if (const auto* array = value.if_array()) {
            return bounds_of(rules, static_cast<double>(array->size()), name,
                             {{"minItems", "must have a length of at least", below},
                              {"maxItems", "must have a length of at most", above}});
        }
        return std::nullopt;
    }

    mismatch combined(const json::object& rules, const json::value& value, const std::string& name,
                      int refs) {
        if (const auto* all = array_of(rules, "allOf")) {
            for (const auto& rule : *all) {
                if (auto wrong = check(rule, value, name, refs + 1)) return wrong;
            }
        }
        for (const char* rule : {"anyOf", "oneOf"}) {
            const auto* any = array_of(rules, rule);
            if (!any || any->empty()) continue;
            std::size_t fitting = 0;
            mismatch first;
            for (const auto& candidate : *any) {
                auto wrong = check(candidate, value, name, refs + 1);
                if (!wrong) ++fitting;
                if (wrong && !first) first = wrong;
            }
            if (fitting == 0) return first;
            if (fitting > 1 && std::string_view(rule) == "oneOf")
                return fmt::format("{} fits more than one of what it may be", name);
        }
        if (const json::value* never = rules.if_contains("not");
            never && refs < refs_max && !check(*never, value, name, refs + 1))
            return fmt::format("{} is what it may not be", name);
        return std::nullopt;
    }

    static const json::array* array_of(const json::object& rules, std::string_view rule) {
        const json::value* value = rules.if_contains({rule.data(), rule.size()});
        return value ? value->if_array() : nullptr;
    }

    static std::string inside(const std::string& name, std::string_view key) {
        if (name == whole) return fmt::format("'{}'", key);
        return fmt::format("'{}.{}'", name.substr(1, name.size() - 2), key);
    }

    mismatch members(const json::object& rules, const json::object& object, const std::string& name,
                     int refs) {
        if (const auto* required = array_of(rules, "required")) {
            for (const auto& key : *required) {
                if (--steps_ <= 0) return std::nullopt;
                if (key.is_string() && !object.contains(key.as_string()))
                    return fmt::format("{} is missing", inside(name, key.as_string()));
            }
        }
        const json::value* known = rules.if_contains("properties");
        const json::object* properties = known ? known->if_object() : nullptr;
        const json::value* others = rules.if_contains("additionalProperties");
        for (const auto& [key, value] : object) {
            const std::string_view text(key.data(), key.size());
            const json::value* rule = properties ? properties->if_contains(key) : nullptr;
            if (!rule && others && others->is_bool() && !others->as_bool() &&
                !rules.contains("patternProperties")) {
                return fmt::format("{} is not known", inside(name, text));
            }
            if (!rule) rule = others;
            if (!rule) continue;
            if (auto wrong = check(*rule, value, inside(name, text), refs)) return wrong;
        }
        return std::nullopt;
    }

    mismatch items(const json::object& rules, const json::array& array, const std::string& name, int refs) {
        const json::value* rule = rules.if_contains("items");
        if (!rule || rule->is_array()) return std::nullopt;
        for (std::size_t i = 0; i < array.size(); ++i) {
            if (auto wrong = check(*rule, array[i], inside(name, std::to_string(i)), refs)) return wrong;
        }
        return std::nullopt;
    }

public:
    static inline const std::string whole = "what is given";

private:
    const json::value& root_;
    int steps_ = limits::schema_steps_max;
};

}  // namespace

std::optional<std::string> schema_mismatch(std::string_view schema, std::string_view value) {
    const auto rules = parsed(schema);
    const auto given = parsed(value);
    if (!rules || !given) return std::nullopt;
    checker all(*rules);
    auto wrong = all.check(*rules, *given, checker::whole, 0);
    return all.exhausted() ? std::nullopt : wrong;
}

}  // namespace hob::unit
