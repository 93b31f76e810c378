#include "unit/protocol/mcp/schema_check.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "limits.hpp"

namespace hob::unit {
namespace {

namespace json = boost::json;

using mismatch = std::optional<std::string>;

constexpr int refs_max = 64;               // bounds a $ref that leads to itself
constexpr std::size_t bytes_of_step = 64;  // of a text that is read or written
constexpr std::size_t choices_shown = 20;

// At least as many values as `text` has: each but the first is behind one of these.
long values_in(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return c == ',' || c == '[' || c == '{'; });
}

std::optional<json::value> parsed(std::string_view text) {
    if (values_in(text) >= limits::schema_steps_max) return std::nullopt;
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

// Where a value is. It is written for a message only: "'a.0'".
struct place {
    const place* outer = nullptr;  // nullptr: the whole of what is given
    std::string_view key{};        // of an object; of an array it has no data
    std::size_t index = 0;

    std::string name() const {
        if (!outer) return "what is given";
        std::vector<const place*> path;
        for (const place* at = this; at->outer; at = at->outer)
            path.push_back(at);
        std::string text = "'";
        for (auto at = path.rbegin(); at != path.rend(); ++at) {
            if (text.size() > 1) text += '.';
            text += (*at)->key.data() ? std::string((*at)->key) : std::to_string((*at)->index);
        }
        return text + "'";
    }
};

class checker {
public:
    explicit checker(const json::value& root) : root_(root) {}

    // References can branch, so that a small schema asks for any number of checks. Once it is exhausted, no
    // outcome counts.
    bool exhausted() const { return steps_ <= 0; }

    mismatch check(const json::value& schema, const json::value& value, const place& at, int refs) {
        spend(0);
        if (schema.is_bool() && !schema.as_bool()) return wrong(at, "is not allowed");
        const json::object* rules = schema.if_object();
        if (!rules || exhausted()) return std::nullopt;
        if (const json::value* ref = rules->if_contains("$ref"); ref && ref->is_string()) {
            const json::value* target = refs < refs_max ? referred(ref->as_string()) : nullptr;
            if (target) {
                if (auto found = check(*target, value, at, refs + 1)) return found;
            }
        }
        if (auto found = type(*rules, value, at)) return found;
        if (auto found = choice(*rules, value, at)) return found;
        if (auto found = bounds(*rules, value, at)) return found;
        if (auto found = combined(*rules, value, at, refs)) return found;
        if (const auto* object = value.if_object()) return members(*rules, *object, at, refs);
        if (const auto* array = value.if_array()) return items(*rules, *array, at, refs);
        return std::nullopt;
    }

private:
    // One step, and more for a text of so many bytes.
    void spend(std::size_t bytes) {
        const auto steps = static_cast<long>(bytes / bytes_of_step) + 1;
        steps_ = steps_ > steps ? steps_ - steps : 0;
    }

    std::string wrong(const place& at, std::string_view why) {
        std::string text = fmt::format("{} {}", at.name(), why);
        spend(text.size());
        return text;
    }

    std::string written(const json::value& value) {
        std::string text = json::serialize(value);
        spend(text.size());
        return text;
    }

    // A number has one value, however it is written: 1 and 1.0 are equal.
    bool equal(const json::value& a, const json::value& b) {
        spend(0);
        if (exhausted()) return false;
        if (a.is_number() && b.is_number() && a.is_double() != b.is_double())
            return number_of(a) == number_of(b);
        if (a.is_string() && b.is_string()) {
            if (a.get_string().size() != b.get_string().size()) return false;
            spend(a.get_string().size());
            return a == b;
        }
        if (a.is_array() && b.is_array()) {
            const auto &left = a.get_array(), &right = b.get_array();
            return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                              [this](const auto& x, const auto& y) { return equal(x, y); });
        }
        if (!a.is_object() || !b.is_object()) return a == b;
        const auto &left = a.get_object(), &right = b.get_object();
        if (left.size() != right.size()) return false;
        return std::all_of(left.begin(), left.end(), [this, &right](const auto& member) {
            spend(member.key().size());
            const json::value* other = right.if_contains(member.key());
            return other && equal(member.value(), *other);
        });
    }

    const json::value* referred(const json::string& ref) {
        const auto [known, added] = targets_.try_emplace(&ref, nullptr);
        if (!added || !ref.starts_with('#')) return known->second;
        spend(ref.size());
        boost::system::error_code error;
        known->second = root_.find_pointer(ref.subview(1), error);
        return known->second;
    }

    mismatch type(const json::object& rules, const json::value& value, const place& at) {
        const json::value* rule = rules.if_contains("type");
        if (!rule) return std::nullopt;
        if (rule->is_string()) {
            const std::string_view type(rule->as_string());
            if (is_of_type(value, type)) return std::nullopt;
            return wrong(at,
                         fmt::format("must be {}, not {}", with_article(type), with_article(type_of(value))));
        }
        const json::array* types = rule->if_array();
        if (!types) return std::nullopt;
        std::string all;
        for (const auto& type : *types) {
            if (!type.is_string() || is_of_type(value, type.as_string())) return std::nullopt;
            spend(type.as_string().size());
            if (exhausted()) return std::nullopt;
            all += (all.empty() ? "" : " or ") + with_article(type.as_string());
        }
        return wrong(at, fmt::format("must be {}, not {}", all, with_article(type_of(value))));
    }

    mismatch choice(const json::object& rules, const json::value& value, const place& at) {
        if (const json::value* only = rules.if_contains("const"); only && !equal(*only, value))
            return wrong(at, "must be " + written(*only));
        const json::array* choices = array_of(rules, "enum");
        if (!choices) return std::nullopt;
        for (const auto& candidate : *choices) {
            if (equal(candidate, value) || exhausted()) return std::nullopt;
        }
        std::string all;
        const std::size_t shown = std::min(choices->size(), choices_shown);
        for (std::size_t i = 0; i < shown; ++i)
            all += (all.empty() ? "" : ", ") + written((*choices)[i]);
        if (shown < choices->size()) all += fmt::format(", or of {} others", choices->size() - shown);
        return wrong(at, "must be one of " + all);
    }

    struct bound {
        std::string_view rule;
        std::string_view text;
        bool (*is_broken)(double number, double limit);
    };

    mismatch bounds_of(const json::object& rules, double number, const place& at,
                       std::initializer_list<bound> all) {
        for (const auto& each : all) {
            const json::value* rule = rules.if_contains({each.rule.data(), each.rule.size()});
            const auto limit = rule ? number_of(*rule) : std::nullopt;
            if (limit && each.is_broken(number, *limit))
                return wrong(at, fmt::format("{} {}", each.text, *limit));
        }
        return std::nullopt;
    }

    static bool below(double number, double limit) { return number < limit; }
    static bool above(double number, double limit) { return number > limit; }
    static bool below_or_at(double number, double limit) { return number <= limit; }
    static bool above_or_at(double number, double limit) { return number >= limit; }

    mismatch bounds(const json::object& rules, const json::value& value, const place& at) {
        if (const auto number = number_of(value)) {
            return bounds_of(rules, *number, at,
                             {{"minimum", "must be at least", below},
                              {"maximum", "must be at most", above},
                              {"exclusiveMinimum", "must be more than", below_or_at},
                              {"exclusiveMaximum", "must be less than", above_or_at}});
        }
        if (const auto* text = value.if_string()) {
            if (!rules.contains("minLength") && !rules.contains("maxLength")) return std::nullopt;
            spend(text->size());
            if (exhausted()) return std::nullopt;
            return bounds_of(rules, static_cast<double>(characters(*text)), at,
                             {{"minLength", "must have a length of at least", below},
                              {"maxLength", "must have a length of at most", above}});
        }
        if (const auto* array = value.if_array()) {
            return bounds_of(rules, static_cast<double>(array->size()), at,
                             {{"minItems", "must have a length of at least", below},
                              {"maxItems", "must have a length of at most", above}});
        }
        return std::nullopt;
    }

    mismatch combined(const json::object& rules, const json::value& value, const place& at, int refs) {
        if (const auto* all = array_of(rules, "allOf")) {
            for (const auto& rule : *all) {
                if (auto found = check(rule, value, at, refs + 1)) return found;
            }
        }
        for (const char* rule : {"anyOf", "oneOf"}) {
            const auto* any = array_of(rules, rule);
            if (!any || any->empty()) continue;
            std::size_t fitting = 0;
            mismatch first;
            for (const auto& candidate : *any) {
                auto found = check(candidate, value, at, refs + 1);
                if (!found) ++fitting;
                if (found && !first) first = std::move(found);
                if (exhausted()) return std::nullopt;
            }
            if (fitting == 0) return first;
            if (fitting > 1 && std::string_view(rule) == "oneOf")
                return wrong(at, "fits more than one of what it may be");
        }
        if (const json::value* never = rules.if_contains("not");
            never && refs < refs_max && !check(*never, value, at, refs + 1))
            return wrong(at, "is what it may not be");
        return std::nullopt;
    }

    static const json::array* array_of(const json::object& rules, std::string_view rule) {
        const json::value* value = rules.if_contains({rule.data(), rule.size()});
        return value ? value->if_array() : nullptr;
    }

    mismatch missing(const json::object& rules, const json::object& object, const place& at) {
        const auto* required = array_of(rules, "required");
        if (!required) return std::nullopt;
        for (const auto& key : *required) {
            if (!key.is_string()) continue;
            const std::string_view name(key.get_string());
            spend(name.size());
            if (exhausted()) return std::nullopt;
            if (!object.contains(key.get_string())) return wrong({&at, name}, "is missing");
        }
        return std::nullopt;
    }

    mismatch members(const json::object& rules, const json::object& object, const place& at, int refs) {
        if (auto found = missing(rules, object, at)) return found;
        const json::value* known = rules.if_contains("properties");
        const json::object* properties = known ? known->if_object() : nullptr;
        const json::value* others = rules.if_contains("additionalProperties");
        if (!properties && !others) return std::nullopt;
        for (const auto& [key, value] : object) {
            const place inside{&at, {key.data(), key.size()}};
            spend(key.size());
            if (exhausted()) return std::nullopt;
            const json::value* rule = properties ? properties->if_contains(key) : nullptr;
            if (!rule && others && others->is_bool() && !others->as_bool() &&
                !rules.contains("patternProperties")) {
                return wrong(inside, "is not known");
            }
            if (!rule) rule = others;
            if (!rule) continue;
            if (auto found = check(*rule, value, inside, refs)) return found;
        }
        return std::nullopt;
    }

    mismatch items(const json::object& rules, const json::array& array, const place& at, int refs) {
        const json::value* rule = rules.if_contains("items");
        if (!rule || rule->is_array()) return std::nullopt;
        for (std::size_t i = 0; i < array.size() && !exhausted(); ++i) {
            if (auto found = check(*rule, array[i], {&at, {}, i}, refs)) return found;
        }
        return std::nullopt;
    }

    const json::value& root_;
    std::unordered_map<const json::string*, const json::value*> targets_;  // of the $refs that were followed
    long steps_ = limits::schema_steps_max;
};

}  // namespace

std::optional<std::string> schema_mismatch(std::string_view schema, std::string_view value) {
    if (schema.size() > limits::schema_size_max || value.size() > limits::schema_value_max)
        return std::nullopt;
    const auto rules = parsed(schema);
    const auto given = parsed(value);
    if (!rules || !given) return std::nullopt;
    checker all(*rules);
    auto wrong = all.check(*rules, *given, {}, 0);
    return all.exhausted() ? std::nullopt : wrong;
}

}  // namespace hob::unit
