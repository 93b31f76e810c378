#include "cmd/core/remote_request.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "identity.hpp"
#include "util/base64.hpp"
#include "util/nul_list.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view format = "1";
// A shell gets the word as one argument, of which the kernel takes 128 KiB.
constexpr std::size_t word_max = 120u << 10;

failure bad_target(const std::string& text, const std::string& reason) {
    return {error_kind::usage, cannot("use", text, "for '-H'"), reason, "[user@]host[:dir]"};
}

bool is_safe(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f &&
           std::string_view("\"'`$;&|<>(){}*?!#\\").find(c) == std::string_view::npos;
}

std::string mark(const std::string& id, std::string_view what) {
    return fmt::format("\x01{} {} {}\n", this_program.name, id, what);
}

std::string base64url(std::string_view bytes) {
    std::string text = util::base64_encode(bytes);
    while (text.ends_with('='))
        text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

std::optional<std::string> from_base64url(std::string_view word) {
    std::string text(word);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return util::base64_decode(text);
}

}  // namespace

remote_target parse_remote_target(const std::string& text) {
    remote_target target;
    const auto at = text.find('@');
    const std::size_t begin = at == std::string::npos ? 0 : at + 1;
    std::size_t end = text.find(':', begin);
    const bool brackets = begin < text.size() && text[begin] == '[';
    if (brackets) {
        const auto close = text.find(']', begin);
        if (close == std::string::npos) throw bad_target(text, "the bracket is not closed");
        end = close + 1;
        if (end < text.size() && text[end] != ':') throw bad_target(text, "':' must follow the bracket");
        if (end == text.size()) end = std::string::npos;
        target.host = text.substr(0, begin) + text.substr(begin + 1, close - begin - 1);
    } else {
        target.host = text.substr(0, end);
    }
    if (end != std::string::npos) target.directory = text.substr(end + 1);
    if (target.host.size() <= begin || at == 0) throw bad_target(text, "it names no host");
    if (text.starts_with('-') || target.host[begin] == '-') throw bad_target(text, "it begins with '-'");
    if (!std::all_of(target.host.begin(), target.host.end(), is_safe))
        throw bad_target(text, "a host has no such characters");
    if (target.directory.find('\0') != std::string::npos) throw bad_target(text, "it has a NUL byte");
    return target;
}

std::string remote_word(const remote_request& request) {
    std::vector<std::string> parts{std::string(format), request.id, request.directory, request.columns};
    parts.insert(parts.end(), request.words.begin(), request.words.end());
    std::string word = base64url(util::join_nul_list(parts));
    if (word.size() > word_max) {
        throw failure(error_kind::usage, cannot("send", {}, "the command line"),
                      fmt::format("it is longer than {} KiB", word_max >> 10),
                      "standard input has no such limit");
    }
    return word;
}

std::optional<remote_request> parse_remote_word(std::string_view word) {
    const auto bytes = from_base64url(word);
    if (!bytes || !bytes->ends_with('\0')) return std::nullopt;
    const std::vector<std::string> parts = util::split_nul_list(*bytes);
    if (parts.size() < 4 || parts.front() != format) return std::nullopt;
    return remote_request{parts[1], parts[2], parts[3], {parts.begin() + 4, parts.end()}};
}

std::string remote_begins(const std::string& id) { return mark(id, fmt::format("begins {}", version_text)); }

std::string remote_ends(const std::string& id, int status) {
    return mark(id, fmt::format("ends {}", status));
}

std::string input_frame(std::string_view bytes) {
    std::string frame;
    for (const int shift : {24, 16, 8, 0})
        frame.push_back(static_cast<char>(bytes.size() >> shift & 0xFF));
    return frame.append(bytes);
}

std::optional<std::string> frame_reader::next() {
    if (buffered_.size() < 4) return std::nullopt;
    std::size_t size = 0;
    for (std::size_t at = 0; at < 4; ++at)
        size = size << 8 | static_cast<unsigned char>(buffered_[at]);
    if (buffered_.size() < 4 + size) return std::nullopt;
    std::string bytes = buffered_.substr(4, size);
    buffered_.erase(0, 4 + size);
    return bytes;
}

}  // namespace hob::cmd
