// A line in, an answer of one or several lines out. The request is METHOD and the params, separated by
// blanks; the result is the answer as a JSON string. The session finds where the answer ends.

#include "unit/protocol/lines/lines.hpp"

#include "error.hpp"
#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "unit/spec/worker_protocol.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

// A string as its text, anything else as its JSON.
std::string word_of(std::string_view raw) {
    if (auto text = util::json_unquote(raw)) return std::move(*text);
    return util::json_compact(raw);
}

class lines_codec final : public message_codec {
public:
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
            throw failure(error_kind::usage, cannot("call", unit),
                          "its protocol is lines, and the text holds a newline");
        }
        return line;
    }

    std::string notification(std::uint64_t, std::string_view unit, std::string_view,
                             std::string_view) const override {
        throw failure(error_kind::usage, cannot("call", unit),
                      "its protocol is lines, and every line is answered");
    }

    std::string cancellation(std::uint64_t, std::uint64_t) const override { return {}; }
    std::string refusal(const worker_message&, std::uint64_t, std::string_view) const override { return {}; }
    std::string reply(const worker_message&, std::string_view, std::uint64_t) const override { return {}; }

    worker_message decode(std::string_view message) const override { return lines_answer(message); }
};

}  // namespace

worker_message lines_answer(std::string_view text) {
    worker_message answer;
    answer.type = worker_message::kind::result;
    if (util::is_utf8(text)) {
        answer.payload = util::json_quote(text);
    } else {
        util::json_object bytes;
        bytes.add("data_b64", util::base64_encode(text));
        answer.payload = std::move(bytes).text();
    }
    return answer;
}

extern constinit const worker_protocol lines_protocol;
constinit const worker_protocol lines_protocol{
    .name = "lines",
    .one_at_a_time = true,
    .make_framing = make_line_framing,
    .make_codec = []() -> std::unique_ptr<message_codec> { return std::make_unique<lines_codec>(); },
    .make_session = make_lines_session,
};

}  // namespace hob::unit
