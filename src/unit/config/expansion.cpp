#include "unit/config/expansion.hpp"

#include <fmt/format.h>

#include <cctype>
#include <optional>

#include "error.hpp"
#include "limits.hpp"

namespace hob::unit {
namespace {

// `${NAME}` or `${NAME:-default}` at some place of a text.
struct reference {
    std::string_view name;
    std::optional<std::string_view> otherwise;
    std::size_t length = 0;  // of the whole
};

std::size_t name_length(std::string_view text) {
    std::size_t length = 0;
    const auto is_part = [&](unsigned char c) {
        return c == '_' || std::isalpha(c) != 0 || (length > 0 && std::isdigit(c) != 0);
    };
    while (length < text.size() && is_part(static_cast<unsigned char>(text[length])))
        ++length;
    return length;
}

// The number of characters from `at` that are skipped when looking for a `}`. `opens`: a default begins
// there.
std::size_t token_length(std::string_view text, std::size_t at, bool& opens) {
    const std::string_view rest = text.substr(at);
    opens = false;
    if (rest.front() == literal_mark) return 2;
    if (rest.starts_with("$${")) return 3;
    if (!rest.starts_with("${")) return 1;
    const std::size_t end = 2 + name_length(rest.substr(2));
    if (end == 2) return 1;
    if (rest.substr(end).starts_with('}')) return end + 1;
    opens = rest.substr(end).starts_with(":-");
    return opens ? end + 2 : 1;
}

// A text with the places where its defaults end.
class parsed_text {
public:
    explicit parsed_text(std::string_view text) : text_(text) {
        std::vector<std::size_t> open;
        for (std::size_t at = 0; at < text.size();) {
            bool opens = false;
            const std::size_t length = token_length(text, at, opens);
            if (opens) open.push_back(at);
            if (text[at] == '}' && !open.empty()) {
                ends_.emplace(open.back(), at);
                open.pop_back();
            }
            at += length;
        }
    }

    std::string_view text() const { return text_; }

    std::optional<reference> at(std::size_t position) const {
        const std::string_view rest = text_.substr(position);
        const std::size_t name = rest.starts_with("${") ? name_length(rest.substr(2)) : 0;
        if (name == 0) return std::nullopt;
        const std::string_view after = rest.substr(2 + name);
        if (after.starts_with('}')) return reference{rest.substr(2, name), std::nullopt, name + 3};
        const auto end = ends_.find(position);
        if (!after.starts_with(":-") || end == ends_.end()) return std::nullopt;
        const std::size_t begin = position + 2 + name + 2;
        return reference{rest.substr(2, name), text_.substr(begin, end->second - begin),
                         end->second + 1 - position};
    }

private:
    std::string_view text_;
    std::map<std::size_t, std::size_t> ends_;
};

class resolver {
public:
    resolver(const variables& base, const std::vector<std::vector<written_variable>>& layers,
             std::string_view unit)
        : unit_(unit) {
        for (const auto& [name, value] : base)
            known_[name].push_back({nullptr, state::done, value});
        for (const auto& layer : layers) {
            std::map<std::string_view, const written_variable*> last;
            for (const auto& each : layer)
                last[each.name] = &each;
            for (const auto& [name, written] : last)
                known_[std::string(name)].push_back({written, state::unused, {}});
        }
    }

    variables all() {
        variables result;
        for (auto& [name, definitions] : known_)
            result.emplace(name, resolve(definitions, definitions.size() - 1));
        return result;
    }

private:
    enum class state { unused, active, done };
    struct definition {
        const written_variable* written;  // nullptr: of the base
        state progress;
        std::string value;
    };

    [[noreturn]] void fail(const written_variable& in, std::string_view reason, std::string_view hint = {}) {
        const std::string which =
            in.name.empty() ? in.origin : fmt::format("variable '{}' in {}", in.name, in.origin);
        throw failure(error_kind::unit_failed, cannot("start", unit_),
                      fmt::format("its {} {}", which, reason), std::string(hint));
    }

    const std::string& resolve(std::vector<definition>& of, std::size_t index) {
        definition& wanted = of[index];
        if (wanted.progress == state::done) return wanted.value;
        const written_variable& written = *wanted.written;
        if (wanted.progress == state::active)
            fail(written, fmt::format("needs itself: {}", chain(written.name)));
        wanted.progress = state::active;
        active_.push_back(written.name);
        if (written.value.size() > limits::variable_max) fail(written, too_long());
        const parsed_text text(written.value);
        append(text, 0, text.text().size(), {written, of, index}, wanted.value);
        total_ += wanted.value.size();
        if (total_ > limits::environment_max)
            fail(written,
                 fmt::format("makes the environment larger than {} MiB", limits::environment_max >> 20));
        active_.pop_back();
        wanted.progress = state::done;
        return wanted.value;
    }

    // The definition that is being resolved.
    struct place {
        const written_variable& written;
        std::vector<definition>& definitions;
        std::size_t index;
    };

    // What the name stands for, seen from this definition; nullptr: it is not set.
    const std::string* find(std::string_view name, const place& from) {
        if (name == from.written.name)
            return from.index > 0 ? &resolve(from.definitions, from.index - 1) : nullptr;
        const auto found = known_.find(name);
        return found == known_.end() ? nullptr : &resolve(found->second, found->second.size() - 1);
    }

    void append(const parsed_text& text, std::size_t at, std::size_t end, const place& from,
                std::string& out) {
        if (++depth_ > limits::expansion_depth_max) fail(from.written, "is nested too deeply");
        while (at < end) {
            if (const auto found = text.at(at)) {
                append_reference(text, at, *found, from, out);
                at += found->length;
            } else {
                at += append_literal(text.text(), at, out);
            }
            if (out.size() > limits::variable_max) fail(from.written, too_long());
        }
        --depth_;
    }

    // Appends what is no reference; returns how much of the text that is.
    static std::size_t append_literal(std::string_view text, std::size_t at, std::string& out) {
        if (text[at] == literal_mark) {
            out += text[at + 1];
            return 2;
        }
        if (text.substr(at).starts_with("$${")) {
            out += "${";
            return 3;
        }
        out += text[at];
        return 1;
    }

    void append_reference(const parsed_text& text, std::size_t at, const reference& found, const place& from,
                          std::string& out) {
        const std::string* value = find(found.name, from);
        if (value != nullptr && !(found.otherwise && value->empty())) {
            out += *value;
        } else if (found.otherwise) {
            const std::size_t end = at + found.length - 1;
            append(text, end - found.otherwise->size(), end, from, out);
        } else {
            fail(from.written, fmt::format("needs '{}', which is not set", found.name),
                 fmt::format("with a default it is ${{{}:-default}}; $${{ stands for ${{", found.name));
        }
    }

    static std::string too_long() { return fmt::format("is longer than {} KiB", limits::variable_max >> 10); }

    // "A -> B -> A"
    std::string chain(std::string_view last) const {
        std::string names;
        bool within = false;
        for (const auto name : active_) {
            within = within || name == last;
            if (within) names.append(name).append(" -> ");
        }
        return names.append(last);
    }

    std::string_view unit_;
    std::map<std::string, std::vector<definition>, std::less<>> known_;  // by name, lowest layer first
    std::vector<std::string_view> active_;
    std::size_t depth_ = 0;
    std::size_t total_ = 0;
};

}  // namespace

variables expand_layers(const variables& base, const std::vector<std::vector<written_variable>>& layers,
                        std::string_view unit) {
    return resolver(base, layers, unit).all();
}

std::string expand_text(std::string_view text, const variables& values, std::string_view unit,
                        std::string_view what) {
    // No reference can mean a variable without a name.
    const written_variable written{{}, std::string(text), std::string(what)};
    return resolver(values, {{written}}, unit).all().at({});
}

bool is_variable_name(std::string_view name) { return !name.empty() && name_length(name) == name.size(); }

bool has_reference(std::string_view text) { return text.find("${") != std::string_view::npos; }

}  // namespace hob::unit
