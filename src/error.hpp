#pragma once
// Failures with a name. `failure` is the exception for everything that a user should read. It is caught in
// three places: in dispatch(), where the server handles a request, and at the end of a spawned coroutine.

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
    daemon_lost,
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
    no_project,
    consent_needed,
    internal,
};

std::string_view name_of(error_kind kind);
std::optional<error_kind> error_kind_named(std::string_view name);
exit_code exit_code_of(error_kind kind);

// What was tried: `cannot <verb> '<object>' <rest>`. `object` may be empty, and `rest` mostly is.
struct cannot {
    explicit cannot(std::string_view tried, std::string_view with = {}, std::string_view how = {})
        : verb(tried), object(with), rest(how) {}
    std::string verb;
    std::string object;
    std::string rest;
};

// One failure as data. Its text is composed once, here: `cannot <verb> '<object>' <rest>: <reason>`, no full
// stop, no capital, one line.
class failure : public std::runtime_error {
public:
    // `hint`: the next step, or empty. `detail`: raw JSON with more, such as a worker's own error; or empty.
    failure(error_kind kind, cannot tried, std::string reason, std::string hint = {},
            std::string detail = {});
    // One that is known by its text alone, as a peer of another version or another program reports it.
    failure(error_kind kind, const std::string& message, std::string hint = {}, std::string detail = {});

    error_kind kind() const { return kind_; }
    const cannot& tried() const { return tried_; }         // all empty: known by its text alone
    const std::string& reason() const { return reason_; }  // the whole text, if it is known by that alone
    const std::string& hint() const { return hint_; }
    const std::string& detail() const { return detail_; }

    // The same failure as that of something else that was tried, for whose sake this was.
    failure of(cannot tried) const;
    failure without_hint() const;

private:
    error_kind kind_;
    cannot tried_;
    std::string reason_;
    std::string hint_;
    std::string detail_;
};

// `message`: the text of errno `error_number`, such as "No such file or directory".
std::string errno_text(int error_number);

// A failure of kind denied: `cannot <verb> '<object>': <errno text>`.
failure denied(std::string_view verb, std::string_view object, int error_number);

}  // namespace hob
