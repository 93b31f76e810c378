#include "cmd/core/output.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "identity.hpp"
#include "util/fd.hpp"
#include "util/json_writer.hpp"

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
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            line += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            constexpr const char* digits = "0123456789abcdef";
            line += "\\x";
            line += digits[byte >> 4];
            line += digits[byte & 15];
        } else {
            line += c;
        }
    }
    return line;
}

}  // namespace

void set_color_mode(color_mode chosen) { mode = chosen; }

terminal out_terminal() { return terminal_of(STDOUT_FILENO); }
terminal err_terminal() { return terminal_of(STDERR_FILENO); }

bool print(std::string_view text) {
    if (gone) return false;
    buffer += text;
    return buffer.size() < flush_at || flush();
}

bool flush() {
    if (gone || buffer.empty()) return !gone;
    const bool written = util::write_all(STDOUT_FILENO, buffer);
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

void print_error(std::string_view text) { util::write_all(STDERR_FILENO, text); }

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
    std::string text =
        paint(std::string(this_program.name) + ":", "1;31", err.color) + " " + one_line(reason.what()) + "\n";
    if (!reason.hint().empty())
        text += paint("hint:", "36", err.color) + " " + one_line(reason.hint()) + "\n";
    print_error(text);
}

std::string paint(std::string_view text, std::string_view code, bool color) {
    if (!color || code.empty()) return std::string(text);
    std::string painted = "\x1b[";
    painted.append(code).append("m").append(text).append("\x1b[0m");
    return painted;
}

}  // namespace hob::cmd
