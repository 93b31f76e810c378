#include "cmd/core/log_text.hpp"

#include <fmt/format.h>

#include "cmd/core/table.hpp"
#include "identity.hpp"
#include "util/clock.hpp"
#include "util/escape_sequences.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

std::string_view code_of(util::level severity) {
    switch (severity) {
        case util::level::trace:
        case util::level::debug:
            return "2";
        case util::level::info:
            return "32";
        case util::level::warning:
            return "33";
        case util::level::error:
            return "31";
        case util::level::fatal:
            return "1;31";
    }
    return "";
}

std::string_view code_of_stream(std::string_view stream) {
    return stream == "stderr" ? "33" : stream == this_program.name ? "36" : "2";
}

std::string painted(std::string_view text, std::string_view code, bool color) {
    return code.empty() ? std::string(text) : paint(text, code, color);
}

// The length of a colour sequence (ESC [ … m) at the start of `text`, or 0.
std::size_t color_sequence(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find_first_not_of("0123456789;:", 2);
    return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

// Text of programs on a terminal: keeps tabs and, if they are shown, colours. Spells out all other control
// characters.
std::string for_terminal(std::string_view text, const terminal& out) {
    std::string shown;
    bool colored = false;
    while (!text.empty()) {
        const auto special = std::min(text.find_first_of("\t\x1b"), text.size());
        shown += printable(text.substr(0, special), out.utf8);
        text.remove_prefix(special);
        if (text.empty()) break;
        const std::size_t sequence = color_sequence(text);
        if (sequence > 0 && out.color) {
            shown += text.substr(0, sequence);
            colored = true;
        } else if (sequence == 0) {
            shown += text.front() == '\t' ? "\t" : "\\x1b";
        }
        text.remove_prefix(std::max<std::size_t>(sequence, 1));
    }
    if (colored) shown += "\x1b[0m";
    return shown;
}

// For a pipe: the bytes that the program wrote, as one line.
std::string for_pipe(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c == '\n') {
            line += "\\n";
        } else {
            line += c;
        }
    }
    return line;
}

}  // namespace

log_style log_style_for_output(log_format format) {
    return {out_terminal(), format, chosen_color_mode() != color_mode::never};
}

bool is_shown(const util::log_record& record, log_format format) {
    return format == log_format::verbose || record.stream != this_program.name;
}

std::string program_text(std::string_view line, const log_style& style) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string plain = style.escapes ? std::string(line) : util::without_escape_sequences(line);
    return style.out.interactive ? without_hidden_controls(for_terminal(plain, style.out)) : for_pipe(plain);
}

std::string log_record_text(const util::log_record& record, const log_style& style, std::string_view today) {
    const terminal& out = style.out;
    std::string body = util::message_and_fields(record);
    const bool raw = style.format == log_format::raw;
    // As a terminal leaves it: without what the program did to the screen.
    if (!record.stream.empty() && (!raw || out.interactive)) body = util::visible_colored_line(body);
    if (!style.escapes) body = util::without_escape_sequences(body);
    if (raw && !out.interactive) return record.partial ? body : body + "\n";
    body = out.interactive ? for_terminal(body, out) : for_pipe(body);
    if (!record.understood || raw) return body + "\n";
    const std::string time = util::rfc3339(*record.time);
    const std::string date = time.starts_with(today) ? "" : time.substr(0, 10) + " ";
    const std::string_view time_code = record.stream == "stderr" ? "33" : "2";
    std::string line = paint(date + time.substr(11, 12), time_code, out.color) + " ";
    if (record.severity) {
        const std::string word = fmt::format("{:<7}", util::name_of(*record.severity));
        line += painted(word, code_of(*record.severity), out.color);
        line +=
            fmt::format(" {:<9} ", out.interactive ? printable(record.channel, out.utf8) : record.channel);
    } else if (style.format == log_format::verbose) {
        const std::string stream = out.interactive ? printable(record.stream, out.utf8) : record.stream;
        line += paint(fmt::format("{:<6}", stream), code_of_stream(record.stream), out.color) + " ";
    }
    line += body;
    if (record.partial) line += paint(out.utf8 ? "\u2026" : "...", "2", out.color);
    return line + "\n";
}

std::string log_record_json(const util::log_record& record, std::string_view line) {
    if (record.json) return std::string(line) + "\n";
    util::json_object object;
    if (record.understood) {
        object.add("ts", util::rfc3339(*record.time)).add("level", util::name_of(*record.severity));
        object.add("channel", record.channel);
    }
    if (util::is_utf8(record.message)) {
        object.add("msg", record.message);
    } else {
        object.add("data_b64", util::base64_encode(record.message));
    }
    return std::move(object).text() + "\n";
}

std::string log_record_json(const util::log_record& record, std::string_view line, std::string_view unit) {
    const std::string text = log_record_json(record, line);
    util::json_object named;
    named.add("unit", unit);
    const auto members = util::json_object_members(text).value_or(std::vector<util::json_member>());
    for (const auto& [key_raw, key, value] : members)
        named.add(key, util::raw_json{value});
    return std::move(named).text() + "\n";
}

}  // namespace hob::cmd
