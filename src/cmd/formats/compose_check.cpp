// The healthcheck of compose.yaml.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "cmd/formats/compose_values.hpp"
#include "cmd/formats/json_file.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// For a shell, which expands the variables itself.
std::string shell_text(const import_word& word) {
    std::string text;
    for (const auto& part : word)
        text += !part.variable ? part.text
                : !part.has_default()
                    ? fmt::format("${{{}}}", part.text)
                    : fmt::format("${{{}:-{}{}}}", part.text, part.fallback, shell_text(part.otherwise));
    return text;
}
std::string shell_command(const import_word& word) {
    return toml_command(std::string_view(shell_text(word)));
}

// ["CMD", WORD...], ["CMD-SHELL", TEXT], ["NONE"], or a text for a shell.
std::string check_command(const json::value& test) {
    if (!test.is_array()) {
        const auto text = scalar_of(test);
        return text ? shell_command(interpolated(*text)) : std::string();
    }
    const auto words = compose_command(test, "healthcheck");
    const std::string form = words.empty() ? "NONE" : default_text(words.front());
    if (form == "CMD-SHELL" && words.size() == 2) return shell_command(words[1]);
    return form == "CMD" && words.size() > 1 ? toml_command({words.begin() + 1, words.end()}) : std::string();
}
milliseconds duration_in(const json::object& check, const char* key, milliseconds otherwise) {
    const json::value* value = check.if_contains(key);
    return value != nullptr ? compose_duration(*value).value_or(otherwise) : otherwise;
}
// Of one check. Docker takes 0 for its default.
milliseconds positive_in(const json::object& check, const char* key) {
    const milliseconds duration = duration_in(check, key, seconds(30));
    return duration.count() > 0 ? duration : seconds(30);
}
std::int64_t retries_of(const json::object& check) {
    const json::value* retries = check.if_contains("retries");
    const std::int64_t count = retries != nullptr && retries->is_int64() ? retries->get_int64() : 3;
    return std::clamp<std::int64_t>(count, 1, 1000);
}
// The time after which docker would call it unhealthy.
std::string check_timeout(const json::object& check) {
    const milliseconds each =
        duration_in(check, "interval", seconds(30)) + duration_in(check, "timeout", seconds(30));
    const milliseconds all = duration_in(check, "start_period", seconds(0)) + each * retries_of(check);
    return toml_duration(std::max<milliseconds>(all, seconds(1)));
}

}  // namespace

std::string compose_port_ready(const import_word& port) {
    if (port.size() == 1 && port.front().variable) {
        const auto& variable = port.front();
        if (variable.has_default()) return fmt::format("{{ tcp = {} }}", toml_string(env_text(port)));
        return fmt::format("{{ tcp = \"${{{}}}\" }}", variable.text);
    }
    const std::string text = is_literal(port) ? literal_text(port) : std::string();
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && number > 0 && number < 65536 ? fmt::format("{{ tcp = {} }}", number) : std::string();
}

std::string compose_check(const json::object& check) {
    const json::value* test = check.if_contains("test");
    const std::string probe = test != nullptr ? check_command(*test) : std::string();
    return probe.empty() ? std::string()
                         : fmt::format("{{ exec = {}, timeout = {} }}", probe, check_timeout(check));
}

void set_compose_health(const json::object& entry, imported_unit& unit) {
    const json::object* check = object_of(entry, "healthcheck");
    const bool restarts = std::any_of(unit.keys.begin(), unit.keys.end(), [](const auto& key) {
        return key.first == "restart" && key.second != "\"never\"";
    });
    if (check == nullptr || is_true(*check, "disable") || !restarts) return;
    const json::value* test = check->if_contains("test");
    const std::string probe = test != nullptr ? check_command(*test) : std::string();
    if (probe.empty()) return;
    unit.keys.emplace_back("health",
                           fmt::format("{{ exec = {}, every = {}, timeout = {}, failures = {} }}", probe,
                                       toml_duration(positive_in(*check, "interval")),
                                       toml_duration(positive_in(*check, "timeout")), retries_of(*check)));
    unit.remarks.emplace_back("health: it is restarted when its healthcheck fails; compose only shows that");
}

}  // namespace hob::cmd
