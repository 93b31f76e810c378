#include "cmd/formats/dockerfile.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

#include "cmd/formats/command_words.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// Lines that end with a backslash are continued; comments in between are not part of them.
std::vector<std::string> instructions(std::string_view text) {
    std::vector<std::string> all;
    bool continues = false;
    for (const auto each : lines_of(text)) {
        std::string_view line = trimmed(each);
        if (line.empty() || line.starts_with('#')) continue;
        const bool more = line.ends_with('\\');
        if (more) line.remove_suffix(1);
        if (continues) {
            all.back().append(" ").append(line);
        } else {
            all.emplace_back(line);
        }
        continues = more;
    }
    return all;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return result;
}

// ["a", "b"], or a text for a shell.
std::vector<std::string> words_of(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_array()) return {"/bin/sh", "-c", std::string(text)};
    std::vector<std::string> words;
    for (const auto& word : value.get_array())
        if (word.is_string()) words.emplace_back(std::string_view(word.get_string()));
    return words;
}

}  // namespace

image_command read_dockerfile(std::string_view text, std::string_view target) {
    std::map<std::string, image_command, std::less<>> stages;
    image_command current;
    std::string stage;
    for (const auto& line : instructions(text)) {
        const auto blank = std::min(line.find_first_of(" \t"), line.size());
        const std::string keyword = upper(std::string_view(line).substr(0, blank));
        const std::string_view rest = trimmed(std::string_view(line).substr(blank));
        if (keyword == "FROM") {
            if (!target.empty() && stage == target) break;
            const auto words = split_words(rest).value_or(std::vector<std::string>());
            const auto base = std::find_if(words.begin(), words.end(),
                                           [](const std::string& word) { return !word.starts_with("--"); });
            stages[stage] = current;
            const auto known = base != words.end() ? stages.find(*base) : stages.end();
            current = known != stages.end() ? known->second : image_command{};
            stage = words.size() > 2 && upper(words[words.size() - 2]) == "AS" ? words.back() : std::string();
        } else if (keyword == "CMD") {
            current.command = words_of(rest);
        } else if (keyword == "ENTRYPOINT") {
            current.entrypoint = words_of(rest);
            current.command.clear();  // that of the base
        }
    }
    return current;
}

}  // namespace hob::cmd
