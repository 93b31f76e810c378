#include "unit/config/env_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hob::unit {
namespace {

constexpr std::string_view blanks = " \t\v\f";

bool is_name_start(char c) { return c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool is_name_part(char c) {
    return c == '_' || c == '.' || c == '-' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// All line ends as "\n".
std::string with_plain_line_ends(std::string_view bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (bytes[at] == '\r' && bytes.substr(at + 1).starts_with('\n')) continue;
        text += bytes[at] == '\r' ? '\n' : bytes[at];
    }
    return text;
}

class reader {
public:
    reader(std::string_view bytes, std::string_view path) : text_(with_plain_line_ends(bytes)), path_(path) {}

    env_file read() {
        for (skip_empty_lines(); at_ < text_.size() && !result_.fault; skip_empty_lines())
            assignment();
        return std::move(result_);
    }

private:
    std::string_view rest() const { return std::string_view(text_).substr(at_); }
    bool at_line_end() const { return at_ == text_.size() || text_[at_] == '\n'; }

    void advance(std::size_t count) {
        const auto from = text_.begin() + static_cast<std::ptrdiff_t>(at_);
        line_ += static_cast<int>(std::count(from, from + static_cast<std::ptrdiff_t>(count), '\n'));
        at_ += count;
    }

    void skip_blanks() { at_ += std::min(rest().find_first_not_of(blanks), rest().size()); }
    void skip_line() { advance(std::min(rest().find('\n'), rest().size())); }

    void skip_empty_lines() {
        for (;;) {
            skip_blanks();
            if (at_ < text_.size() && text_[at_] == '#') skip_line();
            if (at_ == text_.size() || text_[at_] != '\n') return;
            advance(1);
        }
    }

    void fault(std::string reason, std::string hint = {}) {
        if (!result_.fault) result_.fault = env_file_fault{begun_, std::move(reason), std::move(hint)};
    }

    std::string name() {
        const std::size_t begin = at_;
        if (at_ < text_.size() && is_name_start(text_[at_])) {
            while (at_ < text_.size() && is_name_part(text_[at_]))
                ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }

    // What stands in front of '='. `export` alone is a name, too.
    std::string left_side() {
        std::string found = name();
        const std::size_t end = at_;
        skip_blanks();
        if (found == "export" && at_ > end && !at_line_end() && text_[at_] != '=') {
            found = name();
            skip_blanks();
        }
        return found;
    }

    void assignment() {
        begun_ = line_;
        const std::string_view line = rest().substr(0, rest().find('\n'));
        const bool has_equals = line.find('=') != std::string_view::npos;
        const std::string found = left_side();
        if (!has_equals) {
            fault("no '='", "a line is NAME=value; a value of several lines stands in quotes");
        } else if (found.empty() || at_line_end() || text_[at_] != '=') {
            fault("not a variable's name before '='");
        } else {
            ++at_;
            skip_blanks();
            value_.clear();
            value();
            if (value_.find(std::string_view("\0\0", 2)) != std::string::npos) fault("a NUL byte");
            result_.variables.push_back({found, value_, fmt::format("'{}:{}'", path_, begun_)});
        }
    }

    void value() {
        const char quote = at_line_end() ? '\n' : text_[at_];
        if (quote != '\'' && quote != '"' && quote != '`') {
            plain_value();
            return;
        }
        ++at_;
        while (at_ < text_.size() && text_[at_] != quote)
            quoted_character(quote);
        if (at_ == text_.size()) {
            fault(fmt::format("the quote {} is not closed", quote));
            return;
        }
        ++at_;
        const int closed = line_;
        skip_blanks();
        if (!at_line_end() && text_[at_] != '#') {
            fault(closed == begun_ ? "text after the closing quote"
                                   : fmt::format("text after the closing quote on line {}", closed),
                  "to have quotes in a value, put it into quotes of another kind");
        }
        skip_line();
    }

    void quoted_character(char quote) {
        const char c = text_[at_];
        if (quote == '\'') {
            literal(c);
        } else if (c == '\\' && at_ + 1 < text_.size()) {
            escape(text_[at_ + 1], quote == '"');
            return;
        } else {
            plain(c);
        }
        advance(1);
    }

    // A backslash and what follows it.
    void escape(char c, bool in_double_quotes) {
        constexpr std::string_view names = "ntr", values = "\n\t\r";
        const auto at = in_double_quotes ? names.find(c) : std::string_view::npos;
        if (at != std::string_view::npos) {
            value_ += values[at];
        } else if (c == '$' || (in_double_quotes && (c == '"' || c == '\\'))) {
            literal(c);
        } else {
            value_ += '\\';
            ++at_;
            return;
        }
        at_ += 2;
    }

    // Up to a comment or the end of the line.
    void plain_value() {
        std::string_view written = rest().substr(0, rest().find('\n'));
        const std::size_t length = written.size();
        for (auto hash = written.find('#'); hash != std::string_view::npos;
             hash = written.find('#', hash + 1)) {
            if (blanks.find(text_[at_ + hash - 1]) == std::string_view::npos) continue;
            written = written.substr(0, hash);
            break;
        }
        written = written.substr(0, written.find_last_not_of(blanks) + 1);
        for (std::size_t i = 0; i < written.size(); ++i) {
            if (written.substr(i).starts_with("\\$")) {
                literal(written[++i]);
            } else {
                plain(written[i]);
            }
        }
        at_ += length;
    }

    void plain(char c) {
        if (c == '\0') value_ += literal_mark;  // a fault, see assignment()
        value_ += c;
    }

    void literal(char c) {
        if (c == '$' || c == '\0') value_ += literal_mark;
        value_ += c;
    }

    std::string text_;
    std::string_view path_;
    std::size_t at_ = 0;
    int line_ = 1;
    int begun_ = 1;
    std::string value_;
    env_file result_;
};

}  // namespace

env_file parse_env_file(std::string_view bytes, std::string_view path) { return reader(bytes, path).read(); }

}  // namespace hob::unit
