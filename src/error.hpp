#pragma once
// Failures with a name. `failure` is the one exception type that carries a meaning to the user; it is caught
// in three places: main, the per-request boundary of the server, and the end of a spawned coroutine.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "exit_code.hpp"

namespace hob {

// The `code` of an error in --json output and in `data.code` on the wire. Stable.
enum class error_kind : std::uint8_t {
    usage,
    config,
    untrusted_config,
    no_daemon,
    start_failed,
    crash_loop,
    wedged,
    denied,
    foreign,
    instance_elsewhere,
    version,
    timeout,
    unit_unknown,
    unit_failed,
    worker_error,
    worker_died,
    cancelled,
    internal,
};

std::string_view name_of(error_kind kind);
std::optional<error_kind> error_kind_named(std::string_view name);
exit_code exit_code_of(error_kind kind);

// what(): `cannot <verb> '<object>': <reason>`, no full stop, no capital, one line.
class failure : public std::runtime_error {
public:
    failure(error_kind kind, const std::string& message, std::string hint = {}, std::string detail = {});

    error_kind kind() const { return kind_; }
    const std::string& hint() const { return hint_; }  // the next step, or empty
    const std::string& detail() const {
        return detail_;
    }  // raw JSON with more, such as a worker's own error; or empty

private:
    error_kind kind_;
    std::string hint_;
    std::string detail_;
};

// `message`: the text of errno `error_number`, such as "No such file or directory".
std::string errno_text(int error_number);

// A failure of kind denied: `cannot <verb> '<object>': <errno text>`.
failure denied(std::string_view verb, std::string_view object, int error_number);

}  // namespace hob
