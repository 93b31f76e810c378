#include "util/json/json_pretty.hpp"

#include <cstddef>
#include <vector>

namespace hob::util {
namespace {

constexpr std::string_view key_color = "\033[34m";
constexpr std::string_view string_color = "\033[32m";
constexpr std::string_view number_color = "\033[36m";
constexpr std::string_view literal_color = "\033[35m";
constexpr std::string_view plain = "\033[0m";
constexpr std::size_t indent = 2;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_punctuation(char c) { return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':'; }

// The next token: a string, a number, a literal or one byte of punctuation. Empty at the end.
std::string_view next_token(std::string_view& text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    std::size_t length = 0;
    if (text.empty()) return {};
    if (text.front() == '"') {
        length = 1;
        while (length < text.size() && text[length] != '"')
            length += text[length] == '\\' ? 2 : 1;
        ++length;
    } else if (is_punctuation(text.front())) {
        length = 1;
    } else {
        while (length < text.size() && !is_space(text[length]) && !is_punctuation(text[length]) &&
               text[length] != '"') {
            ++length;
        }
    }
    const std::string_view token = text.substr(0, length);
    text.remove_prefix(token.size());
    return token;
}

class printer {
public:
    explicit printer(bool color) : color_(color) {}

    void token(std::string_view token, char next) {
        switch (token.front()) {
            case '{':
            case '[':
                open(token, next);
                break;
            case '}':
            case ']':
                close(token);
                break;
            case ',':
                out_ += ",";
                new_line();
                break;
            case ':':
                out_ += ": ";
                break;
            default:
                word(token, next == ':');
                break;
        }
    }

    std::string take() { return std::move(out_); }

private:
    void open(std::string_view token, char next) {
        out_ += token;
        ++depth_;
        empty_ = next == '}' || next == ']';
        if (!empty_) new_line();
    }

    void close(std::string_view token) {
        if (depth_ > 0) --depth_;
        if (!empty_) new_line();
        empty_ = false;
        out_ += token;
    }

    void word(std::string_view token, bool key) {
        if (!color_) {
            out_ += token;
            return;
        }
        out_ += key ? key_color : color_of(token.front());
        out_ += token;
        out_ += plain;
    }

    static std::string_view color_of(char first) {
        if (first == '"') return string_color;
        return first == '-' || (first >= '0' && first <= '9') ? number_color : literal_color;
    }

    void new_line() {
        out_ += '\n';
        out_.append(depth_ * indent, ' ');
    }

    std::string out_;
    std::size_t depth_ = 0;
    bool empty_ = false;  // the next token closes the bracket just opened
    bool color_;
};

}  // namespace

std::string json_pretty(std::string_view text, bool color) {
    printer print(color);
    for (std::string_view token = next_token(text); !token.empty();) {
        const std::string_view next = next_token(text);
        print.token(token, next.empty() ? '\0' : next.front());
        token = next;
    }
    return print.take();
}

std::string json_compact(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::string_view token = next_token(text); !token.empty(); token = next_token(text))
        out += token;
    return out;
}

}  // namespace hob::util
