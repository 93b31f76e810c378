// A line in, a line out. The line is METHOD and the params, with blanks between; the reply is a JSON string.

#include <fmt/format.h>

#include "error.hpp"
#include "unit/protocol/message_codec.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

// A string as its text, anything else as its JSON.
std::string word_of(std::string_view raw) {
    if (auto text = util::json_unquote(raw)) return std::move(*text);
    return util::json_compact(raw);
}

class lines_codec final : public message_codec {
public:
    bool one_at_a_time() const override { return true; }

    std::string request(std::uint64_t, std::string_view unit, std::string_view method,
                        std::string_view params_raw) const override {
        std::string line(method);
        const auto add = [&line](const std::string& word) {
            line.append(line.empty() ? "" : " ").append(word);
        };
        if (const auto words = util::json_array_elements(params_raw)) {
            for (const auto word : *words)
                add(word_of(word));
        } else if (!params_raw.empty() && params_raw != "null") {
            add(word_of(params_raw));
        }
        if (line.find('\n') != std::string::npos) {
            throw failure(
                error_kind::usage,
                fmt::format("cannot call '{}': its protocol is lines, and the text holds a newline", unit));
        }
        return line;
    }

    std::string notification(std::uint64_t, std::string_view unit, std::string_view,
                             std::string_view) const override {
        throw failure(
            error_kind::usage,
            fmt::format("cannot call '{}': its protocol is lines, and every line is answered", unit));
    }

    std::string cancellation(std::uint64_t, std::uint64_t) const override { return {}; }
    std::string refusal(const worker_message&, std::uint64_t, std::string_view) const override { return {}; }
    std::string reply(const worker_message&, std::string_view, std::uint64_t) const override { return {}; }

    worker_message decode(std::string_view message) const override {
        worker_message got;
        got.what = worker_message::kind::result;
        if (util::is_utf8(message)) {
            got.payload = util::json_quote(message);
        } else {
            got.payload = fmt::format(R"({{"data_b64":"{}"}})", util::base64_encode(message));
        }
        return got;
    }
};

}  // namespace

std::unique_ptr<message_codec> make_lines_codec() { return std::make_unique<lines_codec>(); }

}  // namespace hob::unit
