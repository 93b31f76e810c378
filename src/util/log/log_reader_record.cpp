#include "util/log/log_reader_record.hpp"

#include <algorithm>

#include "util/clock.hpp"
#include "util/json/json_text.hpp"

namespace hob::util {
namespace {

std::string_view take_word(std::string_view& rest) {
    const auto first = rest.find_first_not_of(' ');
    if (first == std::string_view::npos) return rest = {};
    rest.remove_prefix(first);
    const auto end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

// "<time> <level> <channel> message key=value"
log_record parse_text(std::string_view line) {
    log_record record;
    record.message = line;
    std::string_view rest = line;
    const auto time = parse_rfc3339(take_word(rest));
    const auto severity = level_named(take_word(rest));
    const std::string_view channel = take_word(rest);
    if (!time || !severity || channel.empty()) return record;
    record.time = time;
    record.severity = severity;
    record.channel = channel;
    record.message = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    record.understood = true;
    return record;
}

void take_member(log_record& record, const json_member& member) {
    const auto text = json_unquote(member.value);
    if (member.key == "ts" && text) {
        record.time = parse_rfc3339(*text);
    } else if (member.key == "level" && text) {
        record.severity = level_named(*text);
    } else if (member.key == "channel" && text) {
        record.channel = *text;
    } else if (member.key == "stream" && text) {
        record.stream = *text;
    } else if (member.key == "msg" && text) {
        record.message = *text;
    } else if (member.key == "data_b64" && text) {
        record.message = base64_decode(*text).value_or(*text);
    } else if (member.key == "run" && !record.stream.empty() && json_integer(member.value)) {
        record.run = *json_integer(member.value);
    } else if (member.key == "partial") {
        record.partial = member.value == "true";
    } else if (member.key == "newline") {
        record.newline = member.value != "false";
    } else {
        record.fields.emplace_back(member.key, text ? *text : std::string(member.value));
    }
}

}  // namespace

log_record parse_log_record(std::string_view line) {
    const auto members = line.starts_with('{') ? json_object_members(line) : std::nullopt;
    if (!members) return parse_text(line);
    log_record record;
    for (const auto& member : *members)
        take_member(record, member);
    record.understood = record.time && (record.severity || !record.stream.empty());
    if (!record.understood) {
        record = log_record();
        record.message = line;
    }
    record.json = true;
    return record;
}

std::string message_and_fields(const log_record& record) {
    std::string text = record.message;
    for (const auto& [key, value] : record.fields) {
        text.append(" ").append(key).append("=");
        if (value.empty() || value.find_first_of(" \"=") != std::string::npos) {
            json_quote_to(text, value);
        } else {
            text.append(value);
        }
    }
    return text;
}

}  // namespace hob::util
