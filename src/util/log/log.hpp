#pragma once
// The daemon's log, on Boost.Log: a core, a logger with severity and channel, and three synchronous sinks (a
// rotating file, text on stderr, syslog). Nothing here starts a thread or a timer. A process that never calls
// log_setup (every client) never touches Boost.Log: log() and log_enabled() are then a comparison.
//
// Nothing secret is logged above debug. Values of environment variables, params and results of calls, and
// lines of a unit's stdin are for debug and trace only; names, pids, sizes, durations and errno texts are for
// all levels. The message is constant text in plain words ("unit started"), variable parts go into fields:
//
//     log(level::info, "unit", "worker started", {field("unit", name), field("pid", pid)});
//
// Channels in use: lifecycle, config, ipc, unit, store, log.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace hob::util {

enum class level : std::uint8_t { trace, debug, info, warning, error, fatal };
std::string_view name_of(level severity);                 // "trace" … "fatal"
std::optional<level> level_named(std::string_view name);  // also "warn" for warning

struct log_field {
    std::string_view key;  // must outlive the call: a literal
    std::string value;
    bool raw = false;  // value is JSON text (a number, true) and is written as it is
};

log_field field(std::string_view key, std::string_view value);
inline log_field field(std::string_view key, const char* value) {
    return field(key, std::string_view(value));
}
inline log_field field(std::string_view key, const std::string& value) {
    return field(key, std::string_view(value));
}
inline log_field field(std::string_view key, bool value) { return {key, value ? "true" : "false", true}; }
template <std::integral Number>
requires(!std::same_as<Number, bool>) log_field field(std::string_view key, Number value) {
    return {key, std::to_string(value), true};
}

struct log_options {
    std::string program;  // the name that syslog shows
    std::string file;     // empty: none
    std::uint64_t max_size = 10u << 20;
    int max_files = 5;
    bool json = true;  // of the file; stderr and syslog are always text
    bool to_stderr = false;
    bool to_syslog = false;
    std::string levels;  // "info,ipc=debug"; empty or invalid: info
};

// Installs the sinks. Called again (reload), it replaces them, but keeps an open file and its count of lost
// records. Never throws: a sink that cannot be created is left out, and log_problem() says so.
void log_setup(const log_options& options);

// Writes to every sink. Never throws and never blocks: records that cannot be written are counted, and the
// count is logged later.
void log(level severity, std::string_view channel, std::string_view message,
         std::initializer_list<log_field> fields = {}) noexcept;

// Whether log() would write anything; ask before building fields that cost something.
bool log_enabled(level severity, std::string_view channel) noexcept;

// Why the log file cannot be written at present, or empty. Also logged once to stderr when that is a sink.
std::string log_problem();

// The reason when a text of levels (an environment variable or [log] level) does not parse, such as
// "unknown level 'loud' (one of off trace debug info warning error fatal)".
std::optional<std::string> bad_levels(std::string_view levels);

// The environment variable's value if it is set, not empty and parses, else `configured`.
std::string effective_levels(const std::string& configured, const char* variable);

}  // namespace hob::util
