#include "util/regex.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <cctype>
#include <cstdint>
#include <utility>

#include "limits.hpp"
#include "util/utf8.hpp"

namespace hob::util {
namespace {

RE2::Options options(RE2::Options::Encoding encoding) {
    RE2::Options chosen;
    chosen.set_encoding(encoding);
    chosen.set_longest_match(true);
    chosen.set_dot_nl(true);
    chosen.set_log_errors(false);
    chosen.set_max_mem(static_cast<std::int64_t>(limits::regex_memory_max));
    return chosen;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

struct spelling {
    char escaped;
    std::string_view meaning, re2;
};

constexpr std::array escapes{
    spelling{'<', "the start of a word", "\\b"},
    spelling{'>', "the end of a word", "\\b"},
    spelling{'`', "the start of the text", "\\A or ^"},
    spelling{'\'', "the end of the text", "\\z or $"},
};

// What stands in brackets for an escape of RE2.
constexpr std::array classes{
    spelling{'d', "", "0-9"},       spelling{'w', "", "[:word:]"}, spelling{'s', "", "[:space:]"},
    spelling{'t', "", "[:blank:]"}, spelling{']', "", "] first"},  spelling{'-', "", "- last"},
    spelling{'^', "", "^ last"},
};

struct foreign_group {
    std::string_view opening, name, hint;
};

constexpr std::array foreign_groups{
    foreign_group{"(?=", "lookahead", ""},
    foreign_group{"(?!", "lookahead", ""},
    foreign_group{"(?<=", "lookbehind", ""},
    foreign_group{"(?<!", "lookbehind", ""},
    foreign_group{"(?>", "atomic groups", "it never backtracks: write (?:"},
    foreign_group{"(?<", "group of this form", "write (?P<name>"},
};

// A walk over a pattern by its lexical structure.
class scanner {
public:
    scanner(std::string_view pattern, bracket_backslash backslash) : text_(pattern), backslash_(backslash) {}

    // Stops at the first form that POSIX and RE2 read differently.
    std::optional<regex_fault> fault() {
        while (at_ < text_.size() && !fault_)
            step();
        return std::move(fault_);
    }

    bool lazy() {
        while (at_ < text_.size())
            step();
        return lazy_;
    }

private:
    void step() {
        const bool repeated = std::exchange(after_repetition_, false);
        switch (const char c = text_[at_]) {
            case '\\':
                escape();
                break;
            case '[':
                brackets();
                break;
            case '{':
                interval();
                break;
            case '?':
                lazy_ = lazy_ || repeated;
                [[fallthrough]];
            case '*':
            case '+':
                after_repetition_ = !repeated;
                [[fallthrough]];
            default:
                if (c == '(') group();
                ++at_;
        }
    }

    void group() {
        const std::string_view rest = text_.substr(at_);
        for (const auto& each : foreign_groups) {
            if (rest.starts_with(each.opening))
                refuse(fmt::format("RE2 has no {}: {}", each.name, each.opening), std::string(each.hint));
        }
        if (rest.starts_with("(?")) ++at_;
    }

    void escape() {
        const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        for (const auto& each : escapes) {
            if (c == each.escaped)
                refuse(fmt::format("\\{} is not {} for RE2", c, each.meaning),
                       fmt::format("write {}", each.re2));
        }
        if (c >= '1' && c <= '9') refuse(fmt::format("RE2 has no back-references: \\{}", c));
        at_ += 2;
        if (c != 'Q') return;
        const auto end = text_.find("\\E", at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
    }

    void brackets() {
        ++at_;
        if (text_.substr(at_).starts_with('^')) ++at_;
        if (text_.substr(at_).starts_with(']')) ++at_;
        while (at_ < text_.size() && text_[at_] != ']') {
            const std::string_view rest = text_.substr(at_);
            const auto named = rest.starts_with("[:") ? rest.find(":]", 2) : std::string_view::npos;
            if (rest.starts_with("[=") || rest.starts_with("[.")) collation(rest);
            if (rest.front() == '\\') bracket_escape(rest);
            at_ += named != std::string_view::npos ? named + 2 : rest.front() == '\\' ? 2 : 1;
        }
        ++at_;
    }

    // [[=a=]] and [[.a.]]
    void collation(std::string_view rest) {
        const char mark = rest[1];
        const char end[] = {mark, ']', '\0'};
        const auto close = rest.find(end, 2);
        if (close == std::string_view::npos) return;
        refuse(
            fmt::format("RE2 has no {} in brackets: {}",
                        mark == '=' ? "equivalence classes" : "collating symbols", rest.substr(0, close + 2)),
            fmt::format("write {}", rest.substr(2, close - 2)));
    }

    void bracket_escape(std::string_view rest) {
        if (backslash_ == bracket_backslash::escapes || rest.starts_with("\\\\")) return;
        std::string hint = "for a backslash write \\\\";
        if (rest.size() > 1) {
            std::string_view meant = rest.substr(1, 1);
            for (const auto& each : classes) {
                if (rest[1] == each.escaped) meant = each.re2;
            }
            if (meant == rest.substr(1, 1) && std::isalnum(static_cast<unsigned char>(rest[1])) != 0)
                meant = "the character itself";
            hint += fmt::format(", for {} write {}", rest.substr(0, 2), meant);
        }
        refuse(fmt::format("a backslash in brackets is an escape for RE2, and a character for POSIX: {}",
                           rest.substr(0, 2)),
               std::move(hint));
    }

    void interval() {
        const std::string_view rest = text_.substr(at_);
        std::size_t end = rest.find_first_not_of("0123456789,", 1);
        if (end == std::string_view::npos || rest[end] != '}' || end == 1) {
            ++at_;
            return;
        }
        const std::string_view bounds = rest.substr(1, end - 1);
        if (bounds.front() == ',')
            refuse(fmt::format("{{{}}} is plain text for RE2", bounds),
                   bounds == "," ? "write *" : fmt::format("write {{0{}}}", bounds));
        after_repetition_ = true;
        at_ += end + 1;
    }

    void refuse(std::string reason, std::string hint = {}) {
        if (!fault_) fault_ = regex_fault{std::move(reason), std::move(hint)};
    }

    std::string_view text_;
    bracket_backslash backslash_;
    std::size_t at_ = 0;
    bool after_repetition_ = false;
    bool lazy_ = false;
    std::optional<regex_fault> fault_;
};

std::optional<regex_fault> compile_fault(const std::string& pattern) {
    const RE2 compiled(piece(pattern), options(RE2::Options::EncodingUTF8));
    if (compiled.error_code() == RE2::ErrorPatternTooLarge ||
        compiled.ProgramSize() > limits::regex_program_max)
        return regex_fault{"it is too large", "use fewer or smaller repetitions"};
    if (compiled.ok()) return std::nullopt;
    regex_fault fault{compiled.error(), {}};
    if (compiled.error_code() == RE2::ErrorRepeatOp)
        fault.hint = "RE2 never backtracks: leave out the second operator";
    return fault;
}

// Text in UTF-8 as Latin-1; nullopt: it has other characters.
std::optional<std::string> latin1_of(std::string_view text) {
    std::string bytes;
    while (!text.empty()) {
        const auto lead = static_cast<unsigned char>(text[0]);
        const std::size_t length = utf8_sequence(text);
        if (length == 0 || length > 2 || (length == 2 && lead > 0xC3)) return std::nullopt;
        bytes += length == 1
                     ? text[0]
                     : static_cast<char>((lead & 3u) << 6 | (static_cast<unsigned char>(text[1]) & 0x3Fu));
        text.remove_prefix(length);
    }
    return bytes;
}

}  // namespace

struct regex::compiled {
    explicit compiled(const std::string& pattern)
        : source(pattern), utf8(pattern, options(RE2::Options::EncodingUTF8)) {}

    const RE2& for_text(std::string_view text) {
        if (is_utf8(text)) return utf8;
        // Characters beyond Latin-1 are searched as their bytes.
        if (!latin1)
            latin1.emplace(latin1_of(source).value_or(source), options(RE2::Options::EncodingLatin1));
        return *latin1;
    }

    std::string source;
    RE2 utf8;
    std::optional<RE2> latin1;  // compiled for the first text that needs it
};

std::optional<regex_fault> find_regex_fault(const std::string& pattern, bracket_backslash backslash) {
    if (pattern.size() > limits::regex_length_max)
        return regex_fault{fmt::format("it is longer than {} KiB", limits::regex_length_max >> 10), {}};
    if (auto fault = scanner(pattern, backslash).fault()) return fault;
    return compile_fault(pattern);
}

bool has_lazy_repetition(std::string_view pattern) {
    return scanner(pattern, bracket_backslash::escapes).lazy();
}

regex::regex(const std::string& pattern) : compiled_(std::make_unique<compiled>(pattern)) {}

regex::~regex() = default;

std::size_t regex::groups() const {
    return static_cast<std::size_t>(compiled_->utf8.NumberOfCapturingGroups());
}

bool regex::search(std::string_view text, std::string* group) const {
    const RE2& expression = compiled_->for_text(text);
    std::array<re2::StringPiece, 2> found;
    const int wanted = group != nullptr && groups() > 0 ? 2 : 0;
    if (!expression.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found.data(), wanted)) return false;
    if (group != nullptr) group->assign(found[1].begin(), found[1].end());
    return true;
}

std::optional<regex::match> regex::find(std::string_view text) const {
    const RE2& expression = compiled_->for_text(text);
    std::array<re2::StringPiece, 2> found;
    const int wanted = groups() > 0 ? 2 : 1;
    if (!expression.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found.data(), wanted))
        return std::nullopt;
    const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
    return match{begin, begin + found[0].size(), std::string(found[1].begin(), found[1].end())};
}

}  // namespace hob::util
