// Requests and what a client reads: whatever is taken apart can be put together again, and every answer is
// JSON.

#include "ipc/message.hpp"

#include <string>

#include "error.hpp"
#include "fuzz/target.hpp"
#include "limits.hpp"
#include "util/json/json_scan.hpp"

using namespace hob;
using test::claim;

namespace {

bool is_json_line(std::string_view line) {
    if (line.empty() || line.back() != '\n') return false;
    line.remove_suffix(1);
    util::json_scanner scan(line, limits::json_depth_max + 1);
    return line.find('\n') == std::string_view::npos && scan.value() && scan.end();
}

void try_request(std::string_view line) {
    const auto parsed = ipc::parse_request(line);
    if (const auto* refused = std::get_if<ipc::rejection>(&parsed)) {
        claim(is_json_line(ipc::error_line(refused->id, refused->code, refused->message)),
              "a refusal is JSON");
        return;
    }
    const auto& asked = std::get<ipc::request>(parsed);
    if (asked.id.empty()) return;
    claim(is_json_line(ipc::result_line(asked.id, asked.params.empty() ? "null" : asked.params)),
          "a result is JSON");
    const std::string again =
        ipc::request_line(asked.id, asked.method, asked.params.empty() ? "{}" : asked.params);
    claim(is_json_line(again), "a request is JSON");
    const auto twice = ipc::parse_request(std::string_view(again).substr(0, again.size() - 1));
    const auto* same = std::get_if<ipc::request>(&twice);
    claim(same && same->id == asked.id && same->method == asked.method,
          "a request is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view line = test::text_of(bytes, size);
    try_request(line);
    const auto read = ipc::parse_incoming(line);
    if (read.what == ipc::incoming::kind::error) {
        const failure why = ipc::failure_from_error(read.payload);
        claim(is_json_line(ipc::error_line(read.id.empty() ? "null" : read.id, why)),
              "an error passes on as JSON");
    }
    return 0;
}
