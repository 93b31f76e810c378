#include "unit/config/syntax_scan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "unit/config/toml_tree.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

constexpr int key_parts_max = 16;

position position_at(std::string_view bytes, std::size_t offset) {
    position where{1, 1};
    for (const char c : bytes.substr(0, offset)) {
        if (c == '\n') {
            ++where.line;
            where.column = 1;
        } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
            ++where.column;
        }
    }
    return where;
}

// The end of the string that begins at `offset`; the end of the text when the string is not closed.
std::size_t skip_string(std::string_view bytes, std::size_t offset) {
    const char quote = bytes[offset];
    const bool multi_line = bytes.substr(offset).starts_with(std::string(3, quote));
    const std::string end(multi_line ? 3 : 1, quote);
    for (std::size_t i = offset + end.size(); i < bytes.size(); ++i) {
        if (bytes[i] == '\\' && quote == '"') {
            ++i;
        } else if (bytes.substr(i).starts_with(end)) {
            i += end.size();
            // Up to two quotes right before the closing three belong to the string.
            for (int more = 0; multi_line && more < 2 && i < bytes.size() && bytes[i] == quote; ++more)
                ++i;
            return i;
        } else if (bytes[i] == '\n' && !multi_line) {
            return i;
        }
    }
    return bytes.size();
}

// TOML does not allow them there, and toml++ would report the end of the value instead.
void refuse_letters_outside_of_strings(std::string_view bytes, std::size_t offset) {
    const bool mark = offset < 3 && bytes.starts_with("\xEF\xBB\xBF");  // a byte order mark
    if (static_cast<unsigned char>(bytes[offset]) < 0x80 || mark) return;
    throw syntax_error(position_at(bytes, offset), "not valid TOML: a letter that needs quotes around it");
}

void check_keys(std::string_view bytes) {
    int parts = 1;
    for (std::size_t i = 0; i < bytes.size();) {
        switch (bytes[i]) {
            case '"':
            case '\'':
                i = skip_string(bytes, i);
                continue;
            case '#':
                i = std::min(bytes.find('\n', i), bytes.size());
                continue;
            case '.':
                if (++parts > key_parts_max) {
                    throw syntax_error(position_at(bytes, i), "a key has more than 16 parts");
                }
                break;
            case '\n':
            case '=':
            case '{':
            case ',':
            case '[':
                parts = 1;
                break;
            default:
                refuse_letters_outside_of_strings(bytes, i);
                break;
        }
        ++i;
    }
}

void check_utf8(std::string_view bytes) {
    if (util::is_utf8(bytes)) return;
    std::size_t good = 0;
    while (const std::size_t length = util::utf8_sequence(bytes.substr(good)))
        good += length;
    throw syntax_error(position_at(bytes, good),
                       fmt::format("not UTF-8: byte 0x{:02x}", static_cast<unsigned char>(bytes[good])));
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

void scan_text(std::string_view bytes) {
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        throw syntax_error({1, 1}, "not UTF-8: this looks like UTF-16");
    }
    const std::size_t nul = bytes.find('\0');
    if (nul != std::string_view::npos) throw syntax_error(position_at(bytes, nul), "a NUL byte is not text");
    check_utf8(bytes);
    check_keys(bytes);
}

std::vector<std::pair<std::string, std::string>> scan_headers(std::string_view bytes) {
    std::vector<std::pair<std::string, std::string>> found;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        std::string_view line = trimmed(bytes.substr(0, end));
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (!line.starts_with('[')) continue;
        line = line.substr(1, line.find(']') - 1);
        const std::size_t dot = line.find('.');
        if (dot == std::string_view::npos) continue;
        std::string_view name = trimmed(line.substr(dot + 1));
        const bool quoted = name.size() > 1 && (name[0] == '"' || name[0] == '\'');
        const std::size_t name_end = quoted ? name.find(name[0], 1) : name.find('.');
        name = quoted ? name.substr(1, name_end - 1) : trimmed(name.substr(0, name_end));
        found.emplace_back(trimmed(line.substr(0, dot)), name);
    }
    return found;
}

}  // namespace hob::unit
