#pragma once
// The frozen frames (doc/protocol.md section 7): the greeting, the result of a ping, params and result of a
// shutdown. Members may be added, none removed or changed. test/golden holds the bytes of every released
// form.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hob::ipc {

struct hello {
    int protocol = 0;
    std::string version;
    pid_t pid = 0;
    std::string instance;  // the key
    std::string
        root;  // any bytes; if they are not UTF-8, the frame has them as root_b64 beside a readable root
    bool draining = false;
    std::string config_state;  // "changed" or "broken": the file is not what the daemon has read; else empty
};

// `capabilities`: the methods that may be called, for clients of other programs. Our own client goes by the
// version: parse_hello() skips the list, which would be much of a short command's work.
std::string hello_line(const hello& greeting, const std::vector<std::string>& capabilities);

// Ignores unknown members. nullopt: not a greeting of this program in any version.
std::optional<hello> parse_hello(std::string_view line);

struct ping_reply {
    pid_t pid = 0;
    std::string version;
    int protocol = 0;
    bool draining = false;
    std::int64_t uptime_ms = 0;
};

std::string ping_result(const ping_reply& reply);
std::optional<ping_reply> parse_ping_result(std::string_view result_raw);

// Params of a shutdown. `if_idle`: refuse when that would interrupt work.
struct shutdown_request {
    bool now = false;      // kill at once
    bool restart = false;  // a successor follows, which resumes what was running
    bool if_idle = false;
};

std::string shutdown_params(const shutdown_request& request);
shutdown_request parse_shutdown_params(std::string_view params_raw);  // what cannot be read is false

struct shutdown_reply {
    pid_t pid = 0;
};

std::string shutdown_result(const shutdown_reply& reply);
std::optional<shutdown_reply> parse_shutdown_result(std::string_view result_raw);

}  // namespace hob::ipc
