#include "cmd/core/output.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "cmd/core/table.hpp"
#include "identity.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t flush_at = 64u << 10;

std::string buffer;
bool gone = false;
color_mode mode = color_mode::automatic;

const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

bool utf8_locale() {
    const char* locale = variable("LC_ALL");
    if (!locale) locale = variable("LC_CTYPE");
    if (!locale) locale = variable("LANG");
    const std::string_view text = locale ? locale : "";
    for (const std::string_view name : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
        if (text.find(name) != std::string_view::npos) return true;
    }
    return false;
}

int columns_of(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* text = variable("COLUMNS");
    const long columns = text ? std::strtol(text, nullptr, 10) : 0;
    return columns > 0 && columns <= INT_MAX ? static_cast<int>(columns) : 80;
}

terminal terminal_of(int fd) {
    terminal found;
    found.interactive = ::isatty(fd) == 1;
    found.utf8 = utf8_locale();
    found.columns = columns_of(fd);
    const char* type = variable("TERM");
    const bool dumb = !type || std::string_view(type) == "dumb";
    found.drawable = found.interactive && !dumb;
    switch (mode) {
        case color_mode::always:
            found.color = true;
            break;
        case color_mode::never:
            found.color = false;
            break;
        case color_mode::automatic:
            found.color = found.interactive && !dumb && !variable("NO_COLOR");
            break;
    }
    return found;
}

// Makes one line of a message: text that it quotes may contain any byte.
std::string one_line(std::string_view text, const terminal& err) {
    std::string line;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        line += printable(text.substr(0, end), err.utf8 || !err.interactive);
        if (end < text.size()) line += "\\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return line;
}

// Whether all bytes are ASCII other than DEL. Eight bytes at a time.
bool is_plain_ascii(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t tops = 0x8080808080808080u;
    while (text.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), sizeof word);
        // Adding one sets the top bit of a byte that is DEL.
        if (((word | (word + ones)) & tops) != 0) return false;
        text.remove_prefix(sizeof word);
    }
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0 && c != 0x7f; });
}

// Text for a terminal is checked as a whole here: much of it comes from units and their workers.
std::string_view safe_for(int fd, std::string_view text, std::string& storage) {
    if (is_plain_ascii(text) || ::isatty(fd) != 1) return text;
    storage = without_hidden_controls(text);
    return storage;
}

}  // namespace

void set_color_mode(color_mode chosen) { mode = chosen; }

color_mode chosen_color_mode() { return mode; }

terminal out_terminal() { return terminal_of(STDOUT_FILENO); }
terminal err_terminal() { return terminal_of(STDERR_FILENO); }

bool print(std::string_view text) {
    if (gone) return false;
    buffer += text;
    return buffer.size() < flush_at || flush();
}

bool flush() {
    if (gone || buffer.empty()) return !gone;
    std::string storage;
    const bool written = util::write_all(STDOUT_FILENO, safe_for(STDOUT_FILENO, buffer, storage));
    const int error = written ? 0 : errno;
    buffer.clear();
    if (written) return true;
    gone = true;
    if (error == EPIPE) return false;
    throw failure(error_kind::internal, cannot("write", "standard output"), errno_text(error));
}

bool reader_gone() {
    if (gone) return true;
    pollfd out{STDOUT_FILENO, 0, 0};
    return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

void print_error(std::string_view text) {
    std::string storage;
    util::write_all(STDERR_FILENO, safe_for(STDERR_FILENO, text, storage));
}

void print_failure(const failure& reason, bool json) {
    if (json) {
        util::json_object error;
        error.add("code", name_of(reason.kind())).add("message", reason.what()).add("hint", reason.hint());
        if (!reason.detail().empty()) error.add("detail", util::raw_json{reason.detail()});
        util::json_object line;
        line.add("error", error);
        print_error(std::move(line).text() + "\n");
        return;
    }
    const terminal err = err_terminal();
    std::string text = paint(std::string(this_program.name) + ":", "1;31", err.color) + " " +
                       one_line(reason.what(), err) + "\n";
    if (!reason.hint().empty())
        text += paint("hint:", "36", err.color) + " " + one_line(reason.hint(), err) + "\n";
    print_error(text);
}

std::string paint(std::string_view text, std::string_view code, bool color) {
    if (!color || code.empty()) return std::string(text);
    std::string painted = "\x1b[";
    painted.append(code).append("m").append(text).append("\x1b[0m");
    return painted;
}

}  // namespace hob::cmd
