#include "cmd/formats/command_words.hpp"

#include <algorithm>

#include "unit/config/run_command.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool is_blank(char c) { return blanks.find(c) != std::string_view::npos; }

// Splits at blanks outside of quotes.
class word_splitter {
public:
    word_splitter(std::string_view text, bool for_shell) : text_(text), for_shell_(for_shell) {}

    std::optional<std::vector<std::string>> split() {
        while (at_ < text_.size()) {
            if (!step()) return std::nullopt;
        }
        end_word();
        return std::move(words_);
    }

private:
    bool step() {
        const char c = text_[at_];
        if (is_blank(c)) {
            if (for_shell_ && c == '\n') return false;
            end_word();
            ++at_;
        } else if (c == '\'') {
            return single_quoted();
        } else if (c == '"') {
            return double_quoted();
        } else if (c == '\\') {
            if (at_ + 1 == text_.size() || (for_shell_ && text_[at_ + 1] == '\n')) return false;
            add(text_[at_ + 1]);
            at_ += 2;
        } else if (for_shell_) {
            const bool special = std::string_view("|&;<>()$`*?[]#~{}!").find(c) != std::string_view::npos ||
                                 (c == '=' && words_.empty());
            if (special) return false;
            add(c);
            ++at_;
        } else {
            add_plain();
        }
        return true;
    }
    // Of compose: "${…}" whole, whatever is in it.
    void add_plain() {
        std::size_t length = 1;
        if (text_.substr(at_).starts_with("$$")) {
            length = 2;
        } else if (text_.substr(at_).starts_with("${")) {
            const auto close = text_.find('}', at_);
            if (close != std::string_view::npos) length = close + 1 - at_;
        }
        for (; length > 0; --length)
            add(text_[at_++]);
    }
    bool single_quoted() {
        const auto close = text_.find('\'', at_ + 1);
        if (close == std::string_view::npos) return false;
        open_ = true;
        word_ += text_.substr(at_ + 1, close - at_ - 1);
        at_ = close + 1;
        return true;
    }
    bool double_quoted() {
        open_ = true;
        const std::string_view escaped = for_shell_ ? "\"\\$`" : "\"\\";
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            const char c = text_[at_];
            if (for_shell_ && (c == '$' || c == '`')) return false;
            const bool escapes =
                c == '\\' && at_ + 1 < text_.size() && escaped.find(text_[at_ + 1]) != std::string_view::npos;
            if (escapes) ++at_;
            if (for_shell_ && c == '\\' && !escapes && at_ + 1 < text_.size() && text_[at_ + 1] == '\n')
                return false;
            word_ += text_[at_];
        }
        return at_++ < text_.size();
    }
    void add(char c) {
        open_ = true;
        word_ += c;
    }
    void end_word() {
        if (open_) words_.push_back(std::move(word_));
        word_.clear();
        open_ = false;
    }

    std::string_view text_;
    bool for_shell_;
    std::size_t at_ = 0;
    bool open_ = false;
    std::string word_;
    std::vector<std::string> words_;
};

// Whether a shell would run a part of it even after its first part has failed.
bool goes_on_after_failure(std::string_view text) {
    char quote = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\' && quote != '\'') {
            ++at;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == ';' || c == '\n' || text.substr(at).starts_with("||")) {
            return true;
        } else if (c == '&') {
            const bool redirects = at > 0 && (text[at - 1] == '>' || text[at - 1] == '<');
            if (text.substr(at).starts_with("&&")) {
                ++at;
            } else if (!redirects && !text.substr(at).starts_with("&>")) {
                return true;
            }
        }
    }
    return false;
}

constexpr std::string_view wrappers[] = {
    "nice",   "ionice", "chronic", "sudo", "env", "exec", "nohup",  "timeout", "flock",
    "time",   "setsid", "bash",    "sh",   "zsh", "dash", "python", "python3", "node",
    "ruby",   "perl",   "php",     "npx",  "cd",  "test", "[",      "&&",      "-c",
    "bundle", "source", ".",       "su",   "if",  "then", "!",
};

std::string_view without_extension(std::string_view name) {
    for (const std::string_view extension : {".sh", ".py", ".pl", ".rb", ".js", ".php", ".bash"}) {
        if (name.ends_with(extension) && name.size() > extension.size()) name.remove_suffix(extension.size());
    }
    return name;
}

bool is_name(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    }) && word.find_first_not_of("0123456789.-") != std::string_view::npos;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::optional<std::vector<std::string>> literal_words(std::string_view text) {
    auto words = word_splitter(text, true).split();
    // A keyword or builtin is the shell's, and only a plain first word is looked up in PATH in the same way.
    if (!words || words->empty() || words->front().find_first_of(blanks) != std::string::npos ||
        !unit::is_plain_command(words->front()))
        return std::nullopt;
    return words;
}

std::optional<std::vector<std::string>> split_words(std::string_view text) {
    return word_splitter(text, false).split();
}

std::optional<directory_command> leading_directory(std::string_view text) {
    text = trimmed(text);
    if (!text.starts_with("cd ") || goes_on_after_failure(text)) return std::nullopt;
    const auto end = text.find("&&");
    if (end == std::string_view::npos) return std::nullopt;
    const auto words = word_splitter(text.substr(3, end - 3), true).split();
    const std::string_view command = trimmed(text.substr(end + 2));
    if (!words || words->size() != 1 || words->front().starts_with('-') || words->front().empty() ||
        command.empty())
        return std::nullopt;
    return directory_command{words->front(), std::string(command)};
}

std::string name_of_command(std::string_view text) {
    std::string fallback;
    bool takes_value = false;  // the word before was `cd` or an option of a wrapper
    while (!(text = trimmed(text)).empty()) {
        std::string_view word = text.substr(0, text.find_first_of(" \t;|&<>()"));
        if (word.empty()) word = text.substr(0, 1);
        text.remove_prefix(word.size());
        const std::string_view base = without_extension(word.substr(word.rfind('/') + 1));
        if (base == "test" || base == "[") {  // what is run if it holds has the name
            const auto then = std::min({text.find("&&"), text.find("||"), text.find("; ")});
            if (then != std::string_view::npos) text.remove_prefix(then + 2);
        }
        const bool passes = std::find(std::begin(wrappers), std::end(wrappers), base) != std::end(wrappers);
        if (passes && fallback.empty() && is_name(base)) fallback = base;
        const bool skipped = passes || takes_value || word.starts_with('-') ||
                             word.find('=') != std::string_view::npos || !is_name(base);
        takes_value = base == "cd" || base == "test" || base == "flock" || base == "source" || base == ".";
        if (!skipped) return std::string(base);
    }
    return fallback;
}

}  // namespace hob::cmd
